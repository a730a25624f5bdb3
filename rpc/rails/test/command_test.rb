# frozen_string_literal: true

class EchoChannel < ApplicationCable::Channel
  rescue_from(KeyError) { |error| transmit({ rescued: error.message }) }

  def whole(data)
    transmit({ data: data, user: user, channel: params[:channel] })
  end

  def without
    transmit({ without: true })
  end

  def receive(data)
    transmit({ received: data })
  end

  def handled
    raise KeyError, "handled"
  end

  def unhandled
    raise "unhandled"
  end

  def big
    transmit({ number: 12345678901234567890, nothing: nil, html: "<b>&</b>", unicode: "é\u2028" })
  end

  def leave
    connection.close(reason: "left", reconnect: false)
    transmit({ after: "close" })
  end

  def later
    later = [ :transmit, { later: 2 } ]
    connection.respond_to?(:perform_work) ? connection.perform_work(connection, *later) : connection.send_async(*later)
    transmit({ now: 1 })
  end

  private
    def hidden
      transmit({ hidden: true })
    end
end

class OrderedChannel < ApplicationCable::Channel
  before_subscribe { transmit({ at: "before" }) }
  after_subscribe { transmit({ at: "after" }) }

  def subscribed
    stream_from :first
    transmit({ at: "subscribed" })
    stream_for [ "second", 2 ]
  end

  def swap
    stop_stream_from "first"
    stream_from "third"
  end
end

class FailingChannel < ApplicationCable::Channel
  def subscribed
    stream_from "failing"
    @kept = "kept"
    raise "no luck"
  end

  def unsubscribed
    transmit({ kept: @kept })
  end
end

class RejectingChannel < ApplicationCable::Channel
  def subscribed
    stream_from "rejecting"
    transmit({ at: "subscribed" })
    reject
  end

  def unsubscribed
    transmit({ at: "unsubscribed" })
  end
end

class DeferringChannel < ApplicationCable::Channel
  def subscribed
    defer_subscription_confirmation!
  end

  def ready
    ensure_confirmation_sent
  end
end

class JoiningChannel < ApplicationCable::Channel
  def subscribed
    ActionCable.server.broadcast("joining", { early: true })
    stream_from "joining"
    ActionCable.server.broadcast(:joining, { joined: "<a>" })
    ActionCable.server.broadcast("elsewhere", { joined: "elsewhere" })
    ActionCable.server.pubsub.broadcast(:joining, '{"raw":1.0}')
    stop_stream_from "joining" if params[:leave]
    ActionCable.server.broadcast("joining", { last: true })
  end

  def again
    ActionCable.server.broadcast("joining", { again: true })
  end

  def unspeakable
    stream_from "\xff"
  end

  def rejoin
    stop_all_streams
    stream_from "joining"
    ActionCable.server.broadcast("joining", { rejoined: true })
  end

  def change
    stop_all_streams
    stream_from "another"
    ActionCable.server.broadcast("another", { changed: true })
    stop_stream_from "another"
    stream_from "joining"
  end

  def binary
    stream_from "binary"
    ActionCable.server.broadcast("binary", "\xff", coder: nil)
  end
end

class BlockChannel < ApplicationCable::Channel
  def subscribed
    stream_from("with-block") { |message| transmit(message) }
    stream_from("with-coder", coder: Marshal)
    stream_from("plain")
    ActionCable.server.broadcast("with-block", { not: "delivered" })
  end
end

class ThreadingChannel < ApplicationCable::Channel
  class << self
    attr_accessor :go_on, :thread
  end

  def subscribed
    Thread.new { stream_from("of-thread") { |message| transmit(message) } }.join
    Thread.new { stream_from("plain-of-thread") }.join
  end

  def later
    self.class.thread = Thread.new { self.class.go_on.pop; stream_from("too-late") }
  end
end

module ListingCoder
  def self.encode(message)
    JSON.generate([ message ])
  end
end

class FilteringChannel < ApplicationCable::Channel
  def subscribed
    stream_from "filtered"
  end

  private
    def transmit(data, **options)
      super(data.merge("filtered" => true), **options)
    end
end

class NeighbourChannel < ApplicationCable::Channel
  def subscribed
    list
  end

  def list
    transmit({ ids: connection.subscriptions.identifiers })
  end

  def unsubscribed
    transmit({ left: connection.subscriptions.identifiers })
  end
end

class TickingChannel < ApplicationCable::Channel
  periodically :tick, every: 5
  rescue_from(ArgumentError) { transmit({ rescued: true }) }

  def break_down
    @broken = true
  end

  private
    def tick
      raise ArgumentError, "broken" if @broken

      @ticks = @ticks.to_i + 1
      transmit({ ticks: @ticks })
    end
end

class CommandTest < ActiveSupport::TestCase
  setup { @client = Bridge.new.client }

  test "a channel without streams is confirmed at the end" do
    answer = @client.subscribe("EchoChannel")

    assert_equal true, answer["subscribed"]
    assert_equal [ { "effect" => "confirm",
      "frame" => '{"identifier":"{\"channel\":\"EchoChannel\"}","type":"confirm_subscription"}' } ], answer.effects
  end

  test "effects are in the order in which the code ran, the confirmation last" do
    answer = @client.subscribe("OrderedChannel")

    assert_equal %w[ transmit stream transmit stream transmit confirm ], answer.kinds
    assert_equal %w[ before subscribed after ], answer.messages.map { |message| message["at"] }
    assert_equal %w[ first ordered:second:2 ], answer.effects.filter_map { |effect| effect["broadcasting"] }
  end

  test "streams are stopped and begun by later actions, without another confirmation" do
    @client.subscribe("OrderedChannel")
    answer = @client.perform("OrderedChannel", "swap")

    assert_equal [ { "effect" => "stop_stream", "broadcasting" => "first" }, { "effect" => "stream", "broadcasting" => "third" } ], answer.effects
    assert_equal %w[ ordered:second:2 third ], @client.unsubscribe("OrderedChannel").effects.map { |effect| effect["broadcasting"] }
  end

  test "an action of one argument gets the whole data, one of none gets none" do
    @client.subscribe("EchoChannel")

    assert_equal [ { "data" => { "action" => "whole", "a" => 1 }, "user" => "ann", "channel" => "EchoChannel" } ],
      @client.perform("EchoChannel", "whole", a: 1).messages
    assert_equal [ { "without" => true } ], @client.perform("EchoChannel", "without", a: 1).messages
    assert_equal [ { "received" => { "action" => "" } } ], @client.perform("EchoChannel", "").messages
  end

  test "private methods and methods of Action Cable are no actions" do
    @client.subscribe("EchoChannel")

    %w[ hidden transmit stream_from instance_eval _dump nothing ].each do |action|
      answer = nil
      log = Log.of { answer = @client.perform("EchoChannel", action) }
      assert_equal [], answer.effects
      assert_includes log, "Unable to process EchoChannel##{action}"
    end
  end

  test "an error that the channel rescues is answered by the channel" do
    @client.subscribe("EchoChannel")
    assert_equal [ { "rescued" => "handled" } ], @client.perform("EchoChannel", "handled").messages
  end

  UNHANDLED = '{"command":"message","identifier":"{\"channel\":\"EchoChannel\"}","data":"{\"action\":\"unhandled\"}"}' # as Rails' client writes it

  test "an error that nobody rescues is logged as stock does, and the subscription lives on" do
    @client.subscribe("EchoChannel")
    answer = nil
    log = Log.of { answer = @client.perform("EchoChannel", "unhandled") }

    assert_equal [ true, [] ], [ answer["subscribed"], answer.effects ]
    assert_includes log, ActionCable::Server.const_defined?(:Socket, false) ? "Could not handle incoming message: #{UNHANDLED.inspect} [" : "Could not execute command from ("
    assert_includes log, "[RuntimeError - unhandled]: "
  end

  test "data that is not a JSON object is logged, and nothing is sent" do
    @client.subscribe("EchoChannel")

    [ "", "{", "5", "[1]", "null" ].each do |data|
      answer = nil
      log = Log.of { answer = @client.command("perform", @client.identifier("EchoChannel"), data: data) }
      assert_equal [ 200, true, [] ], [ answer.status, answer["subscribed"], answer.effects ], data
      assert_match(/Could not (execute command from \(|handle incoming message: ")/, log, data)
    end
  end

  test "an identifier that names no channel is logged, and neither confirmed nor rejected" do
    not_found = ActionCable::Connection::Subscriptions.const_defined?(:ChannelNotFound) ? "ChannelNotFound - Channel not found" : "Subscription class not found"
    { '{"channel":"Nope"}' => not_found, '{"channel":"String"}' => not_found, "{}" => /NoMethodError|ChannelNotFound/,
      "5" => "NoMethodError", "x" => "JSON::ParserError" }.each do |identifier, line|
      answer = nil
      log = Log.of { answer = @client.command("subscribe", identifier) }
      assert_equal [ 200, false, [] ], [ answer.status, answer["subscribed"], answer.effects ], identifier
      assert_match line, log
    end
  end

  test "a subscribed that raises is logged as in stock, and rejected: unsubscribed has run and its streams are stopped" do
    answer = nil
    log = Log.of { answer = @client.subscribe("FailingChannel") }

    assert_equal [ false, %w[ stream transmit stop_stream reject ] ], [ answer["subscribed"], answer.kinds ]
    assert_equal({ "kept" => "kept" }, answer.messages.first)
    assert_match(/Could not (execute command|handle incoming message)/, log)
  end

  test "a rejection runs unsubscribed and comes last" do
    answer = @client.subscribe("RejectingChannel")

    assert_equal false, answer["subscribed"]
    assert_equal %w[ stream transmit transmit stop_stream reject ], answer.kinds
    assert_not answer.body.key?("state")
  end

  test "a confirmation that was deferred is sent by the action that makes it" do
    assert_equal [], @client.subscribe("DeferringChannel").effects
    assert_equal [ "confirm" ], @client.perform("DeferringChannel", "ready").kinds
    assert_equal [], @client.perform("DeferringChannel", "ready").effects
  end

  test "what an event publishes to a stream that it has begun is delivered in its place" do
    answer = @client.subscribe("JoiningChannel")

    assert_equal %w[ stream broadcast broadcast broadcast confirm ], answer.kinds
    assert_equal [ '{"joined":"\u003ca\u003e"}', '{"raw":1.0}', '{"last":true}' ], answer.effects.filter_map { |effect| effect["payload"] }
  end

  test "what it publishes after it has stopped the stream is not" do
    assert_equal %w[ stream broadcast broadcast stop_stream confirm ], @client.subscribe("JoiningChannel", leave: true).kinds
  end

  test "a stream that an event leaves and begins again goes on, and what it publishes to it comes once, through Redis" do
    @client.subscribe("JoiningChannel")

    assert_equal [], @client.perform("JoiningChannel", "rejoin").effects
    assert_equal %w[ stream broadcast stop_stream ], @client.perform("JoiningChannel", "change").kinds
    assert_equal [ "joining" ], @client.unsubscribe("JoiningChannel").effects.map { |effect| effect["broadcasting"] }
  end

  test "what a later event publishes comes through Redis, as all broadcasts do" do
    @client.subscribe("JoiningChannel")
    published = published_while { assert_equal [], @client.perform("JoiningChannel", "again").effects }

    assert_equal [ [ "dummy_production:joining", '{"again":true}' ] ], published
  end

  test "publishing goes to Redis as ever, the own join included" do
    published = published_while { @client.subscribe("JoiningChannel") }
    assert_equal [ '{"early":true}', '{"joined":"\u003ca\u003e"}', '{"raw":1.0}', '{"last":true}' ],
      published.select { |broadcasting, _| broadcasting == "dummy_production:joining" }.map(&:last)
  end

  test "a payload that no client could get is logged and dropped" do
    @client.subscribe("JoiningChannel")
    answer = nil
    log = Log.of { answer = @client.perform("JoiningChannel", "binary") }

    assert_equal [ "stream" ], answer.kinds
    assert_includes log, "a broadcast is not UTF-8"
  end

  test "frames are the bytes that Rails encodes" do
    @client.subscribe("EchoChannel")
    frame = @client.perform("EchoChannel", "big").effects.first["frame"]

    assert_includes frame, '"message":{"number":12345678901234567890,"nothing":null,"html":"\u003cb\u003e\u0026\u003c/b\u003e","unicode":"é\u2028"}'
  end

  test "a channel that closes the connection sends its reason, and nothing after it" do
    @client.subscribe("EchoChannel")

    assert_equal [ { "effect" => "transmit", "frame" => '{"type":"disconnect","reason":"left","reconnect":false}' }, { "effect" => "close" } ],
      @client.perform("EchoChannel", "leave").effects
  end

  test "jobs that the app posts to the worker pool run at the end of the event" do
    @client.subscribe("EchoChannel")
    assert_equal [ { "now" => 1 }, { "later" => 2 } ],
      @client.perform("EchoChannel", "later").frames.map { |frame| frame["message"] || frame }
  end

  test "an identifier's own spelling is kept, byte for byte" do
    identifier = "{ \"room\" : \"\\u003c\", \"channel\":\"EchoChannel\"}"
    answer = @client.command("subscribe", identifier)

    assert_equal identifier, JSON.parse(answer.effects.last["frame"])["identifier"]
  end

  test "a broadcasting that is not UTF-8 is an error of its own, and does not keep the subscription from ending" do
    @client.subscribe("JoiningChannel")
    log = Log.of { assert_equal [], @client.perform("JoiningChannel", "unspeakable").effects }
    answer = @client.unsubscribe("JoiningChannel")

    assert_includes log, 'EncodingError - a broadcasting is not UTF-8: "\\xFF"'
    assert_equal [ false, [ "joining" ] ], [ answer["subscribed"], answer.effects.map { |effect| effect["broadcasting"] } ]
  end

  test "streams with a block, a callback or a coder are not streamed as they are, and the log says so" do
    answer = nil
    log = without_warnings_so_far { Log.of { answer = @client.subscribe("BlockChannel") } }

    assert_equal [ { "effect" => "stream", "broadcasting" => "plain" } ], answer.effects.reject { |effect| effect["effect"] == "confirm" }
    assert_equal "confirm", answer.kinds.last
    assert_includes log, "BlockChannel streams with a block or callback: nothing of"
    assert_includes log, "BlockChannel streams with a coder: nothing of"
    assert_equal [ { "effect" => "stop_stream", "broadcasting" => "plain" } ], @client.unsubscribe("BlockChannel").effects
  end

  test "a stream with a block that a thread of the app begins is not streamed as it is either" do
    answer = nil
    log = without_warnings_so_far { Log.of { answer = @client.subscribe("ThreadingChannel") } }

    assert_equal %w[ plain-of-thread ], answer.effects.filter_map { |effect| effect["broadcasting"] }
    assert_includes log, 'ThreadingChannel streams with a block or callback: nothing of "of-thread" reaches the client'
  end

  test "a stream that is begun after its event is logged as lost" do
    @client.subscribe("ThreadingChannel")
    ThreadingChannel.go_on = Queue.new
    log = Log.of do
      assert_equal [], @client.perform("ThreadingChannel", "later").effects
      ThreadingChannel.go_on << true
      ThreadingChannel.thread.join
    end

    assert_includes log, "lost what was done outside of an event, because there is no link to the bridge: stream too-late"
  end

  test "a channel that overrides transmit is not streamed past it" do
    answer = nil
    log = without_warnings_so_far { Log.of { answer = @client.subscribe("FilteringChannel") } }

    assert_equal [ "confirm" ], answer.kinds
    assert_includes log, "FilteringChannel streams with transmit overridden: nothing of"
  end

  test "a connection that overrides transmit is not streamed past either" do
    type = Class.new(ApplicationCable::Connection) do
      def transmit(message)
        super(message.merge(wrapped: true))
      end
    end
    assert_not_streamed(type)
  end

  unless ActionCable::Server.const_defined?(:Socket, false) # which makes the coder itself
    test "a connection with a coder of its own is not streamed past either" do
      type = Class.new(ApplicationCable::Connection) do
        def initialize(server, env)
          super(server, env, coder: ListingCoder)
        end
      end
      assert_not_streamed(type)
    end
  end

  test "a periodic timer is the bridge's to tick, and one that is over is stopped" do
    assert_equal [ [ "timer", 0, 5.0 ], [ "confirm", nil, nil ] ], @client.subscribe("TickingChannel").effects.map { |effect| effect.values_at("effect", "timer", "every") }
    assert_equal [ { "ticks" => 1 } ], @client.tick("TickingChannel", timer: 0, every: 5).messages
    assert_equal [ { "ticks" => 2 } ], @client.tick("TickingChannel", timer: 0, every: 5.0).messages
    assert_equal [ { "effect" => "stop_timer", "timer" => 0 } ], @client.unsubscribe("TickingChannel").effects
  end

  test "a tick that raises is logged as the worker's, past rescue_from, and the subscription stays" do
    @client.subscribe("TickingChannel")
    @client.perform("TickingChannel", "break_down")
    answer = nil
    log = Log.of { answer = @client.tick("TickingChannel", timer: 0, every: 5) }

    assert_equal [ true, [] ], [ answer["subscribed"], answer.effects ]
    assert_includes log, "There was an exception - ArgumentError(broken)"
  end

  test "a tick of a timer that is gone since a deploy has the client begin afresh" do
    [ { timer: 0, every: 6 }, { timer: 1, every: 5 } ].each do |timer|
      @client.subscribe("TickingChannel")

      assert_equal %w[ transmit close ], @client.tick("TickingChannel", **timer).kinds
    end
  end

  test "the identifiers of the connection's other subscriptions are known in an event" do
    first, second = @client.identifier("NeighbourChannel", n: 1), @client.identifier("NeighbourChannel", n: 2)
    assert_equal [ { "ids" => [ first ] } ], @client.subscribe("NeighbourChannel", n: 1).messages
    assert_equal [ { "ids" => [ first, second ] } ], @client.command("subscribe", second, identifiers: [ first ]).messages
    assert_equal [ { "ids" => [ first, second ] } ],
      @client.command("perform", first, data: '{"action":"list"}', identifiers: [ first, second ]).messages
    assert_equal [ { "left" => [ first, second ] } ], @client.command("unsubscribe", first, identifiers: [ first, second ]).messages
  end

  private
    # What is published on Redis while the block runs.
    def published_while
      redis = Redis.new(url: ENV["REDIS_URL"])
      published = []
      ready = Queue.new
      listener = Thread.new do
        redis.psubscribe("*") do |on|
          on.psubscribe { ready << true }
          on.pmessage do |_, broadcasting, payload|
            broadcasting == "end" ? redis.punsubscribe("*") : published << [ broadcasting, payload ]
          end
        end
      end
      ready.pop
      yield
      Redis.new(url: ENV["REDIS_URL"]).tap { |publisher| publisher.publish("end", "") }.close
      listener.join
      published
    ensure
      redis&.close
    end

    def assert_not_streamed(connection_class)
      before = ActionCable.server.config.connection_class
      ActionCable.server.config.connection_class = -> { connection_class }
      answer = nil
      log = without_warnings_so_far { Log.of { answer = Bridge.new.client.subscribe("OrderedChannel") } }

      assert_not_includes answer.kinds, "stream"
      assert_includes log, "OrderedChannel streams with a connection that transmits in its own way: nothing of"
    ensure
      ActionCable.server.config.connection_class = before
    end

    def without_warnings_so_far
      Cablestay.instance_variable_get(:@warned).clear
      yield
    end
end
