# frozen_string_literal: true

require_relative "support/consumer"
require_relative "support/puma_server"

class PumaTest < ActiveSupport::TestCase
  RACKUP = File.expand_path("dummy/config.ru", __dir__)
  STANDALONE = File.expand_path("dummy/standalone.ru", __dir__)

  test "a connection lives through all of its events over HTTP" do
    with_puma(RACKUP, "-w", "0", "-t", "1:3") do |puma|
      assert_lives(Bridge.new(puma))
      assert_equal 3, Bridge.new(puma).ask("hello")["concurrency"]
    end
  end

  test "events of one connection may be answered by different workers" do
    with_puma(RACKUP, "-w", "2", "-t", "1:2") do |puma|
      assert_equal 4, Bridge.new(puma).ask("hello")["concurrency"]
      4.times { assert_lives(Bridge.new(puma)) }
    end
  end

  test "many events at a time are answered each with its own" do
    with_puma(RACKUP, "-w", "0", "-t", "4:4") do |puma|
      rooms = Array.new(8) do |n|
        Thread.new do
          client = Bridge.new(Rack::URLMap.new("/" => PumaConnection.new(puma.port))).client(connection: "c-#{n}")
          client.subscribe("RoomChannel", room: n.to_s)
          Array.new(5) { |i| client.perform("RoomChannel", "speak", { room: n.to_s }, text: i.to_s).messages.first }
        end
      end.map(&:value)

      rooms.each_with_index do |messages, n|
        assert_equal Array.new(5) { |i| { "room" => n.to_s, "text" => i.to_s, "spoken" => i + 1 } }, messages
      end
    end
  end

  test "without a bridge, Puma serves Action Cable as ever" do
    with_puma(RACKUP, "-w", "0", "-t", "1:3") do |puma|
      consumer = Consumer.new(puma.port, "/cable?user=bob")
      identifier = '{"channel":"RoomChannel","room":"stock"}'

      assert_equal 101, consumer.status
      assert_equal({ "type" => "welcome" }, consumer.receive)
      consumer.command("subscribe", identifier)
      assert_equal({ "identifier" => identifier, "message" => { "members" => 1 } }, consumer.receive)
      received = consumer.receive
      received = consumer.receive unless received["type"] # its own join may come first
      assert_equal({ "identifier" => identifier, "type" => "confirm_subscription" }, received)
      consumer.command("message", identifier, data: '{"action":"speak","text":"hi"}')
      message = consumer.receive["message"]
      message = consumer.receive["message"] if message["joined"]
      assert_equal({ "room" => "stock", "text" => "hi", "spoken" => 1 }, message)
    ensure
      consumer&.close
    end
  end

  test "Action Cable without Rails' middleware is served too" do
    with_puma(STANDALONE, "-w", "0", "-t", "1:3") do |puma|
      bridge = Bridge.new(puma)

      assert_equal [ { "path" => "/", "anchored" => false } ], bridge.ask("hello")["mounts"]
      assert_lives(bridge, Bridge.handshake(path: "/"))
      assert_equal 401, bridge.post("hello", "{}", "no proof").status
    end
  end

  # An own HTTP connection per request.
  PumaConnection = Struct.new(:port) do
    def call(env)
      response = Net::HTTP.start("127.0.0.1", port) do |http|
        http.post(env["PATH_INFO"], env["rack.input"].read, "Authorization" => env["HTTP_AUTHORIZATION"])
      end
      [ response.code.to_i, {}, [ response.body ] ]
    end
  end

  private
    def with_puma(*options)
      puma = PumaServer.new(*options)
      yield puma
    ensure
      puma&.stop
    end

    def assert_lives(bridge, handshake = Bridge.handshake)
      client = bridge.client(handshake)
      assert_equal true, client.opened["accepted"], client.opened.body
      assert_equal %w[ stream transmit broadcast confirm ], client.subscribe("RoomChannel", room: "a").kinds
      2.times do |n|
        assert_equal [ { "room" => "a", "text" => "x", "spoken" => n + 1 } ],
          client.perform("RoomChannel", "speak", { room: "a" }, text: "x").messages
      end
      assert_equal 200, client.disconnect.status
      assert_equal [ { "left" => "a" } ], client.unsubscribe("RoomChannel", room: "a").messages
    end
end
