# frozen_string_literal: true

class HandshakeTest < ActiveSupport::TestCase
  test "the request line is as Puma gives it, the path still percent-encoded" do
    env = env_of(Bridge.handshake("a=1&b=%20", path: "/cable/%C3%A9%2F"))

    assert_equal [ "GET", "", "/cable/%C3%A9%2F", "a=1&b=%20", "/cable/%C3%A9%2F", "/cable/%C3%A9%2F?a=1&b=%20", "192.0.2.7" ],
      env.values_at("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_PATH", "REQUEST_URI", "REMOTE_ADDR")
  end

  test "headers become variables, the two of the body without a prefix" do
    env = env_of(Bridge.handshake(headers: [ [ "X-Custom-Thing", "a" ], [ "Content-Type", "text/x" ], [ "Content-Length", "0" ] ]))

    assert_equal [ "a", "text/x", "0", "websocket" ], env.values_at("HTTP_X_CUSTOM_THING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_UPGRADE")
    assert_not env.key?("HTTP_CONTENT_TYPE")
  end

  test "repeated headers are joined with a comma, cookies with a semicolon" do
    env = env_of(Bridge.handshake(headers: [ [ "X-A", "1" ], [ "x-a", "2" ], [ "Cookie", "a=1" ], [ "Cookie", "b=2" ] ]))

    assert_equal [ "1, 2", "a=1; b=2" ], env.values_at("HTTP_X_A", "HTTP_COOKIE")
  end

  test "a header with underscores does not pass for one with hyphens" do
    env = env_of(Bridge.handshake(headers: [ [ "X_Forwarded_For", "6.6.6.6" ], [ "X-Forwarded-For", "198.51.100.1" ],
      [ "X_Other", "kept" ], [ "Content_Length", "9" ] ]))

    assert_equal [ "198.51.100.1", "kept" ], env.values_at("HTTP_X_FORWARDED_FOR", "HTTP_X_OTHER")
    assert_not env.key?("CONTENT_LENGTH")
  end

  { "example.test" => [ "example.test", "80" ], "example.test:8080" => [ "example.test", "8080" ],
    "[::1]:3000" => [ "[::1]", "3000" ], "[::1]" => [ "[::1]", "80" ] }.each do |host, server|
    test "the server of Host #{host} is #{server.join(" port ")}" do
      assert_equal server, env_of(host(host)).values_at("SERVER_NAME", "SERVER_PORT")
    end
  end

  test "a request without Host has a server all the same" do
    handshake = Bridge.handshake.merge(headers: [])
    assert_equal [ "localhost", "80" ], env_of(handshake).values_at("SERVER_NAME", "SERVER_PORT")
  end

  test "behind a proxy that ends TLS the scheme is https" do
    { "X-Forwarded-Proto" => "https", "X-Forwarded-Scheme" => "https", "X-Forwarded-Ssl" => "on" }.each do |name, value|
      env = env_of(Bridge.handshake(headers: [ [ name, value ] ]))
      assert_equal [ "https", "443", nil ], env.values_at("rack.url_scheme", "SERVER_PORT", "HTTPS"), name
    end
  end

  test "a bridge that ends TLS itself says so" do
    assert_equal [ "https", "https" ], env_of(Bridge.handshake(scheme: "https")).values_at("rack.url_scheme", "HTTPS")
  end

  test "what the web server says of itself is kept, what it says of the event's own request is not" do
    env = env_of(Bridge.handshake(headers: [ [ "Version", "9" ] ]), "SERVER_SOFTWARE" => "puma", "rack.multithread" => true,
      "HTTP_VERSION" => "HTTP/1.1", "HTTP_AUTHORIZATION" => "Bearer x", "puma.socket" => :socket, "CONTENT_TYPE" => "application/json")

    assert_equal [ "puma", true, "HTTP/1.1" ], env.values_at("SERVER_SOFTWARE", "rack.multithread", "HTTP_VERSION")
    assert_equal [ nil, nil, nil ], env.values_at("HTTP_AUTHORIZATION", "puma.socket", "CONTENT_TYPE")
    assert_equal "", env["rack.input"].read
  end

  test "an app under a folder of its web server finds its paths there" do
    env = env_of(Bridge.handshake(path: "/shop/cable"), "SCRIPT_NAME" => "/shop")
    assert_equal [ "/shop", "/cable" ], env.values_at("SCRIPT_NAME", "PATH_INFO")

    env = env_of(Bridge.handshake(path: "/shopping/cable"), "SCRIPT_NAME" => "/shop")
    assert_equal [ "", "/shopping/cable" ], env.values_at("SCRIPT_NAME", "PATH_INFO")
  end

  test "who wants to take over the socket is told that it can't be had" do
    error = assert_raises(Cablestay::Error) { env_of(Bridge.handshake)["rack.hijack"].call }
    assert_match(/only Action Cable/, error.message)
  end

  private
    def env_of(handshake, carrier = {})
      Cablestay::Handshake.new(JSON.parse(JSON.generate(handshake))).env(carrier)
    end

    def host(value)
      handshake = Bridge.handshake
      handshake.merge(headers: handshake[:headers].map { |name, old| [ name, name == "Host" ? value : old ] })
    end
end
