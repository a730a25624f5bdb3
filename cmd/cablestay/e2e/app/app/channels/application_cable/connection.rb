# frozen_string_literal: true

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    include Commands, Wishes

    identified_by :user, :device

    def connect
      transmit({ type: "notice", text: request.params[:notice] }) if request.params[:notice]
      return close(reason: request.params[:close], reconnect: false) if request.params[:close]

      fulfil request.params[:connect]
      self.user = cookies.encrypted[:user] || request.session[:user] || reject_unauthorized_connection
      self.user = Member.find(request.params[:member]) if request.params[:member]
      self.device = request.params[:device]
      @greeter = -> { "hello #{device}" } if request.params[:greeter]
      @visits = 0
      @seen = { tenant: env["endtoend.tenant"], protocol: protocol, agent: request.headers["User-Agent"],
        address: request.remote_ip, path: request.fullpath, offered: env["HTTP_SEC_WEBSOCKET_PROTOCOL"] }
      journal "connect"
    end

    def disconnect
      journal "disconnect"
    end

    def count_visit
      @visits += 1
    end

    # Each name is a variable of its own, as in a connection that several concerns add to.
    def remember(name, value)
      instance_variable_set("@memory_#{name}", value)
    end

    def memory
      instance_variables.grep(/\A@memory_/).to_h { |name| [ name.to_s.delete_prefix("@memory_"), instance_variable_get(name) ] }
    end

    def greeting
      @greeter.call
    end

    def seen
      @seen
    end

    def notify(text)
      transmit({ type: "notice", text: text })
    end

    def journal(event, details = {})
      Journal.record({ event: event, device: request.params[:device], user: user, visits: @visits }.merge(details))
    end
  end
end
