# frozen_string_literal: true

class AskingConnection < ActionCable::Connection::Base
  def connect
  end

  def look
    request
  end

  def jar
    cookies
  end
end

class AskingChannel < ActionCable::Channel::Base
  def nothing
    transmit({})
  end

  def tenant
    transmit({ tenant: connection.look.params[:tenant], again: connection.env.equal?(connection.env) })
  end

  def warden
    transmit({ user: connection.env["warden"].user })
  end

  def everything
    transmit({ ip: connection.look.remote_ip, cookie: connection.jar[:plain], session: connection.look.session[:none],
      id: connection.statistics[:request_id], host: connection.env["HTTP_HOST"], event: connection.env.key?("cablestay.takeover") })
  end
end

# Later events see the request as connect did, and the middleware runs only for those that ask.
class MiddlewareEnvTest < ActiveSupport::TestCase
  setup do
    @before = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { AskingConnection }
    @client = Bridge.new.client(Bridge.handshake("a=1", path: "/t/acme/cable",
      headers: [ [ "X-Warden", "zoe" ], [ "Cookie", "plain=p" ], [ "X-Forwarded-For", "198.51.100.4" ] ]))
    @client.subscribe("AskingChannel")
  end

  teardown { ActionCable.server.config.connection_class = @before }

  test "an event that does not ask for the request sends nothing down the middleware" do
    assert_equal 0, passes { @client.perform("AskingChannel", "nothing") }
  end

  test "the parameters of the route are there, the middleware has run once" do
    answer = nil
    assert_equal 1, passes { answer = @client.perform("AskingChannel", "tenant") }
    assert_equal [ { "tenant" => "acme", "again" => true } ], answer.messages
  end

  test "what middleware put into env is there" do
    assert_equal [ { "user" => "zoe" } ], @client.perform("AskingChannel", "warden").messages
  end

  test "the request is the handshake's" do
    message = @client.perform("AskingChannel", "everything").messages.first

    assert_match(/\A[0-9a-f-]{36}\z/, message.delete("id"))
    assert_equal({ "ip" => "198.51.100.4", "cookie" => "p", "session" => nil, "host" => "example.test", "event" => false }, message)
  end

  test "a middleware that answers instead still leaves what was there before it" do
    env = Cablestay::Handshake.new(JSON.parse(JSON.generate(Bridge.handshake("redirect")))).env({})
    full = Cablestay::MiddlewareEnv.new(env, Rails.application).full

    assert_equal [ "example.test", true ], [ full["HTTP_HOST"], full.key?("warden") ]
  end

  private
    def passes
      count = 0
      callback = ->(*) { count += 1 }
      ActiveSupport::Notifications.subscribed(callback, "request.action_dispatch") { yield }
      count
    end
end
