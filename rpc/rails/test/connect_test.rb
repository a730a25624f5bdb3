# frozen_string_literal: true

class ConnectTest < ActiveSupport::TestCase
  # Runs the block as the connect of the dummy's connection, and answers what it was given.
  def connecting(handshake = Bridge.handshake, **options, &connect)
    type = Class.new(ActionCable::Connection::Base) do
      identified_by :user, :tenant
      define_method(:connect, &connect)
    end
    with_connection_class(type) { Bridge.new.connect(handshake, **options) }
  end

  def with_connection_class(type)
    before = ActionCable.server.config.connection_class
    self.class.const_set(:Current, type)
    ActionCable.server.config.connection_class = -> { type }
    yield
  ensure
    self.class.send(:remove_const, :Current)
    ActionCable.server.config.connection_class = before
  end

  WELCOME = { "effect" => "transmit", "frame" => '{"type":"welcome"}' }.freeze
  CLOSE = { "effect" => "close" }.freeze

  test "connect sees the request as a controller does" do
    seen = nil
    handshake = Bridge.handshake("token=abc", headers: [ [ "X-Forwarded-For", "198.51.100.4" ], [ "Cookie", "plain=p" ] ])
    connecting(handshake, protocol: "actioncable-v1-json") do
      seen = { token: request.params[:token], ip: request.remote_ip, host: request.host, method: request.request_method,
        id: request.uuid, plain: cookies[:plain], protocol: protocol, warden: env["warden"].class }
    end

    assert_match(/\A[0-9a-f-]{36}\z/, seen.delete(:id))
    assert_equal({ token: "abc", ip: "198.51.100.4", host: "example.test", method: "GET", plain: "p",
      protocol: "actioncable-v1-json", warden: Dummy::Doorman::Proxy }, seen)
  end

  test "connect reads encrypted and signed cookies and the session" do
    seen = nil
    headers = [ [ "Cookie", cookie_header { |jar| jar.encrypted[:secret] = { value: { "id" => 7 } }; jar.signed[:signed] = "s" } ],
      [ "Cookie", session_cookie("warden_user" => "bob", "cart" => [ 1 ]) ] ]
    connecting(Bridge.handshake(headers: headers)) do
      seen = [ cookies.encrypted[:secret], cookies.signed[:signed], request.session[:cart], env["warden"].user ]
    end

    assert_equal [ { "id" => 7 }, "s", [ 1 ], "bob" ], seen
  end

  test "connect does not see what middleware left in its thread, nor its CurrentAttributes" do
    seen = nil
    current = Class.new(ActiveSupport::CurrentAttributes) { attribute :tenant }
    self.class.const_set(:Tenancy, current)
    current.tenant = "of this thread"
    connecting { seen = [ Thread.current[:left_by_middleware], current.tenant, Rails.application.executor.active? ] }

    assert_equal [ nil, nil, true ], seen
  ensure
    self.class.send(:remove_const, :Tenancy)
  end

  test "where the bridge speaks TLS the request is secure, and the origin of its own host is https, as where Puma does" do
    secure = nil
    accepted = lambda do |scheme, origin|
      headers = Bridge::HEADERS.reject { |name, _| name == "Origin" } + [ [ "Origin", origin ] ]
      connecting(Bridge.handshake(scheme: scheme).merge(headers: headers)) { secure = [ request.ssl?, request.base_url ] }["accepted"]
    end

    assert accepted.("https", "https://example.test")
    assert_equal [ true, "https://example.test" ], secure
    assert_not accepted.("https", "http://example.test")
    assert_not accepted.("http", "https://example.test")
    assert accepted.("http", "http://example.test")
    assert_equal [ false, "http://example.test" ], secure
  end

  test "parameters of the route that mounts Action Cable are there" do
    seen = nil
    connecting(Bridge.handshake("user=ann", path: "/t/acme/cable")) { seen = request.params.slice(:tenant, :user) }

    assert_equal({ "tenant" => "acme", "user" => "ann" }, seen)
  end

  test "a middleware that answers the handshake decides" do
    http = Bridge.new.connect(Bridge.handshake("redirect"))["http"]

    assert_equal 302, http["status"]
    assert_equal "moved", http["body"].unpack1("m")
    headers = http["headers"].to_h { |name, value| [ name.downcase, value ] }
    assert_equal [ "https://elsewhere.test/", "a=1" ], headers.values_at("location", "set-cookie")
  end

  test "a middleware that raises is the app's own 500" do
    http = nil
    log = Log.of { http = Bridge.new.connect(Bridge.handshake("explode"))["http"] }

    assert_equal 500, http["status"]
    assert_not_includes log, "[Cablestay] the app's middleware raised" # ShowExceptions answered it, as for any request
  end

  test "an app that lets its errors through is answered for, as a web server would" do
    endpoint = Cablestay::Endpoint.new(->(_env) { raise "no one rescues this" })
    http = nil
    log = Log.of { http = Bridge.new(endpoint).connect["http"] }

    assert_equal [ 500, "Internal Server Error\n" ], [ http["status"], http["body"].unpack1("m") ]
    assert_includes log, "[Cablestay] the app's middleware raised for a handshake: RuntimeError: no one rescues this"
  end

  test "an HTTP answer keeps its repeated headers and every byte of its body" do
    closed = false
    body = Class.new do
      define_method(:each) { |&block| [ "\xff".b, "é" ].each(&block) }
      define_method(:close) { closed = true }
    end.new
    headers = { "set-cookie" => "a=1\nb=2", "x-list" => [ "1", "2" ], "transfer-encoding" => "chunked" }
    http = Bridge.new(Cablestay::Endpoint.new(->(_env) { [ 429, headers, body ] })).connect["http"]

    assert_equal [ 429, "\xff\u00e9".b, true ], [ http["status"], http["body"].unpack1("m"), closed ]
    assert_equal [ %w[ set-cookie a=1 ], %w[ set-cookie b=2 ], %w[ x-list 1 ], %w[ x-list 2 ] ], http["headers"]
  end

  test "an HTTP answer whose header is not UTF-8 reaches the client" do
    http = Bridge.new(Cablestay::Endpoint.new(->(_env) { [ 302, { "location" => "/\xe9".b, "x-name" => "é".b }, [] ] })).connect["http"]
    assert_equal [ [ "location", "/\u{fffd}" ], [ "x-name", "é" ] ], http["headers"]
  end

  test "what middleware does after the reply is done for each answer, and does no harm where it fails" do
    replies = []
    app = lambda do |env|
      env["rack.after_reply"] << -> { replies << env["QUERY_STRING"]; raise "after the reply" }
      env["QUERY_STRING"] == "refuse" ? [ 401, {}, [] ] : Rails.application.call(env)
    end
    bridge = Bridge.new(Cablestay::Endpoint.new(app))
    log = Log.of do
      assert_equal 401, bridge.connect(Bridge.handshake("refuse"))["http"]["status"]
      assert_equal true, bridge.connect(Bridge.handshake("user=ann"))["accepted"]
    end

    assert_equal %w[ refuse user=ann ], replies
    assert_includes log, "[Cablestay] what the app does after a reply raised: RuntimeError: after the reply"
  end

  test "a path where nothing is mounted is the app's own 404" do
    assert_equal 404, Bridge.new.connect(Bridge.handshake(path: "/nowhere"))["http"]["status"]
  end

  test "a request that is no WebSocket's gets Action Cable's 404" do
    handshake = Bridge.handshake.merge(headers: [ [ "Host", "example.test" ] ])
    http = Bridge.new.connect(handshake)["http"]

    assert_equal [ 404, "Page not found" ], [ http["status"], http["body"].unpack1("m") ]
  end

  test "a server of the app's own, beside ActionCable.server, is left to Puma" do
    server = ActionCable::Server::Base.new(config: ActionCable.server.config.dup)
    routes = ActionDispatch::Routing::RouteSet.new
    routes.draw do
      mount server => "/other"
      mount ActionCable.server => "/cable"
    end
    http = nil
    log = Log.of { http = Bridge.new(Cablestay::Endpoint.new(server.method(:call))).connect["http"] }

    assert_equal 501, http["status"]
    assert_includes log, "[Cablestay] refused a handshake: its path mounts a server other than ActionCable.server"
    assert_equal [ "/cable" ], Cablestay::Mounts.of(Struct.new(:routes).new(routes)).map { |mount| mount[:path] }
  end

  test "identifiers make the connection identifier" do
    answer = connecting { self.user = "zoe"; self.tenant = "acme" }

    assert_equal [ true, "acme:zoe", [ WELCOME ] ], [ answer["accepted"], answer["connection_identifier"], answer.effects ]
  end

  test "a connection without identifiers is welcome, and can't be disconnected remotely" do
    answer = connecting { }
    assert_equal [ true, "" ], [ answer["accepted"], answer["connection_identifier"] ]
  end

  test "identifiers that are not UTF-8 are no reason to refuse, but can't be disconnected remotely" do
    answer = nil
    log = Log.of { answer = connecting { self.user = "\xff".b } }

    assert_equal [ true, "" ], [ answer["accepted"], answer["connection_identifier"] ]
    assert_includes log, "this connection can't be disconnected remotely: the connection identifier is not UTF-8"
    assert_equal "é", connecting { self.user = "é".b }["connection_identifier"]
  end

  test "what connect transmits comes before the welcome" do
    answer = connecting { transmit({ type: "custom", at: "<1>" }) }
    assert_equal [ '{"type":"custom","at":"\u003c1\u003e"}', '{"type":"welcome"}' ], answer.effects.map { |effect| effect["frame"] }
  end

  test "a connect that closes sends its reason, and no welcome" do
    answer = connecting { self.user = "ann"; close(reason: "custom", reconnect: false) }

    assert_equal false, answer["accepted"]
    assert_equal [ { "effect" => "transmit", "frame" => '{"type":"disconnect","reason":"custom","reconnect":false}' }, CLOSE ], answer.effects
  end

  test "a connect that raises is logged as stock does, and the client is told to come again" do
    answer = nil
    log = Log.of { answer = connecting { raise ArgumentError, "no such tenant" } }

    assert_includes log, "There was an exception - ArgumentError(no such tenant)"
    assert_equal false, answer["accepted"]
    assert_equal [ { "effect" => "transmit", "frame" => '{"type":"disconnect","reason":null,"reconnect":true}' }, CLOSE ], answer.effects
  end

  unless ActionCable::Server.const_defined?(:Socket, false) # which is the worker's receiver there
    test "a connection with a handle_exception is told, as by Action Cable's worker, and may fail there" do
      type = Class.new(ActionCable::Connection::Base) do
        def connect
          raise "no luck"
        end

        def handle_exception
          transmit({ handled: true })
          raise "nor here"
        end
      end
      answer = nil
      log = Log.of { answer = with_connection_class(type) { Bridge.new.connect } }

      assert_equal [ { "handled" => true }, "disconnect" ], [ answer.frames.first, answer.frames.last["type"] ]
      assert_includes log, "handle_exception failed: RuntimeError: nor here"
    end
  end

  test "the log is stock's" do
    log = Log.of { Bridge.new.connect }

    assert_match(/Started GET "\/cable\/?\?user=ann" \[WebSocket\] for 192\.0\.2\.7/, log)
    assert_includes log, "Successfully upgraded to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade, HTTP_UPGRADE: websocket)"
    assert_includes log, "[Dummy] [ann] Registered connection (ann)"
  end

  test "no WebSocket of Rails' own is made of the request" do
    none = ->(*) { raise "a WebSocket of Rails' own" }
    ActionCable::Connection::ClientSocket.stub(:new, none) { assert Bridge.new.connect["accepted"] }
  end

  test "the app's initialize runs once, with the connection's own log tags" do
    type = Class.new(ActionCable::Connection::Base) do
      attr_reader :made
      def initialize(*, **)
        super
        @made = [ env["REMOTE_ADDR"], logger.tags.dup ]
      end

      def connect
        transmit({ made: made })
      end
    end
    frame = with_connection_class(type) { Bridge.new.connect }.frames.first
    assert_equal({ "made" => [ "192.0.2.7", [ "Dummy" ] ] }, frame)
  end

  private
    def cookie_header
      request = ActionDispatch::Request.new(Rails.application.env_config.merge("HTTP_HOST" => "example.test"))
      yield request.cookie_jar
      pairs = request.cookie_jar.instance_variable_get(:@set_cookies).map { |name, cookie| "#{name}=#{Rack::Utils.escape(cookie[:value])}" }
      pairs.join("; ")
    end

    def session_cookie(values)
      cookie_header { |jar| jar.encrypted["_dummy_session"] = { value: values.merge("session_id" => SecureRandom.hex(16)) } }
    end
end
