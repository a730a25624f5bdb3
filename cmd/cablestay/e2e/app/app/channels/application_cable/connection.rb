# frozen_string_literal: true

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :user, :device

    def connect
      transmit({ type: "notice", text: request.params[:notice] }) if request.params[:notice]
      return close(reason: request.params[:close], reconnect: false) if request.params[:close]

      self.user = cookies.encrypted[:user] || request.session[:user] || reject_unauthorized_connection
      self.device = request.params[:device]
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

    def seen
      @seen
    end

    def journal(event, details = {})
      Journal.record({ event: event, device: request.params[:device], user: user, visits: @visits }.merge(details))
    end
  end
end
