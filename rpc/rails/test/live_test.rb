# frozen_string_literal: true

require_relative "support/living"

class DecodingChannel < ApplicationCable::Channel
  def subscribed
    stream_from("live-decoded", ->(message) { transmit({ decoded: message }) }, coder: ActiveSupport::JSON)
  end
end

class OverridingChannel < ApplicationCable::Channel
  def subscribed
    stream_from("live-overridden")
  end

  private
    def transmit(data, via: nil)
      super({ wrapped: data }, via: via)
    end
end

class WorkingChannel < ApplicationCable::Channel
  def subscribed
    Thread.new { self.class.go_on.pop; @done = true; transmit({ done: true }) }
  end

  def done
    transmit({ is_done: @done })
  end

  class << self
    def go_on
      @go_on ||= Queue.new
    end
  end
end

class WaitingChannel < ApplicationCable::Channel
  class << self
    attr_accessor :waiting
  end

  def subscribed
    defer_subscription_confirmation!
    self.class.waiting = self
  end

  def let_in
    transmit({ come: "in" })
    ensure_confirmation_sent
  end
end

class RestreamingChannel < ApplicationCable::Channel
  class << self
    attr_accessor :last
  end

  def subscribed
    @living = ->(broadcasting) { stop_stream_from(broadcasting); stream_from(broadcasting) }
    self.class.last = self
    stream_from("restreamed")
  end

  def again
    @living.call("restreamed")
  end
end

class LiveTest < ActiveSupport::TestCase
  include Living

  test "a stream with a block is run here, by the channel that lives on" do
    answer = subscribe_live("BlockStreamChannel")
    assert_equal "stream", answer.kinds.first
    assert_equal "a block or callback", answer["live"]["why"].split(", ").first
    assert_equal false, answer["live"]["connection"]

    attach_confirmed(answer)
    broadcast "live-block", { "a" => 1 }
    assert_equal({ "raw" => '{"a":1}', "seen" => 1 }, receive_frame["message"])
    assert_equal [ { "seen" => 1 } ], perform_live("count").messages
    assert_equal [ [ "stop_stream", "live-plain" ] ], live("unsubscribe").effects.map { |effect| effect.values_at("effect", "broadcasting") }
    assert_equal 1, BlockStreamChannel.left.pop.last
    assert_equal 0, subscribers("live-block")
  end

  test "nothing is sent before the bridge has the answer" do
    answer = subscribe_live("BlockStreamChannel")
    await { subscribers("live-block") == 1 }
    broadcast "live-block", 1
    broadcast "live-block", 2
    await { outside(answer).instance_variable_get(:@waiting).count { |effect| effect[:effect] == "transmit" } == 2 }
    assert @bridge.lines.empty?

    attach(answer)
    line = @bridge.receive
    assert_equal "connection-1", line["connection"]
    assert_equal [ "transmit", "transmit" ], line["effects"].map { |effect| effect["effect"] } - [ "confirm" ]
    live("unsubscribe")
  end

  test "a callback with a coder gets what was decoded" do
    attach_confirmed(subscribe_live("DecodingChannel"))
    broadcast "live-decoded", { "b" => [ 2 ] }
    assert_equal({ "decoded" => { "b" => [ 2 ] } }, receive_frame["message"])
    live("unsubscribe")
  end

  test "an overridden transmit sees each broadcast" do
    attach_confirmed(subscribe_live("OverridingChannel"))
    broadcast "live-overridden", "x"
    assert_equal({ "wrapped" => "x" }, receive_frame["message"])
    live("unsubscribe")
  end

  test "a thread that the channel has started transmits when it likes, and its channel lives on" do
    answer = subscribe_live("WorkingChannel")
    assert_equal "a thread of its own", answer["live"]["why"].split(", ").last
    attach(answer)
    WorkingChannel.go_on << true
    assert_equal({ "done" => true }, receive_frame["message"])
    assert_equal [ { "is_done" => true } ], perform_live("done").messages
  end

  test "a confirmation may come from elsewhere in the process" do
    answer = subscribe_live("WaitingChannel")
    assert_equal [ [], "an unconfirmed subscription" ], [ answer.effects, answer["live"]["why"].split(", ").last ]
    attach(answer)
    WaitingChannel.waiting.let_in
    assert_equal({ "come" => "in" }, receive_frame["message"])
    assert_equal "confirm_subscription", receive_frame["type"]
  end

  test "a stream that is stopped and begun again outside of an event goes on" do
    attach(subscribe_live("RestreamingChannel"))
    Thread.new { RestreamingChannel.last.again }.join

    effects = []
    effects.concat(@bridge.receive.fetch("effects")) until effects.size == 2
    assert_equal %w[ stop_stream stream ], effects.map { |effect| effect["effect"] }
  end

  test "the confirmation of a stream that begins at once does not overtake the answer" do
    slow = ActiveSupport::Notifications.subscribe("subscribe.cablestay") { await { subscribers("live-block") == 1 } }
    with_connection(keeping_procs { keep { 1 } }) do
      @client = @bridge.client(connection: "connection-2")
      @live = @client.opened["live"]
      attach(@client.opened)
      answer = @bridge.ask_link("subscribe", **live_members, connection: "connection-2", identifier: identifier("BlockStreamChannel"))
      @bridge.receive unless answer.kinds.include?("confirm")

      assert_equal true, @bridge.answers_in_order.pop
    end
  ensure
    ActiveSupport::Notifications.unsubscribe(slow)
  end

  test "an app that allows no living channels hears of it when it subscribes" do
    Cablestay::Live.configure(false)
    answer = nil
    log = Log.of { answer = @bridge.client.subscribe("BlockStreamChannel") }
    assert_equal [ "reject" ], answer.kinds
    assert_includes log, "BlockStreamChannel streams with a block or callback: that needs a living channel, and config.cablestay.live is false"

    log = Log.of { answer = @client.subscribe("ProcKeepingChannel") }
    assert_equal [ "reject" ], answer.kinds
    assert_includes log, "ProcKeepingChannel keeps @adder (Proc), @lock (#{Mutex.name}): that needs a living channel, and config.cablestay.live is false"
  ensure
    Cablestay::Live.configure(true)
  end

  test "a setting that is neither is refused with its name" do
    error = assert_raises(Cablestay::ConfigurationError) { Cablestay::Live.configure("no") }
    assert_equal 'config.cablestay.live is "no": it may be true or false', error.message
  end
end
