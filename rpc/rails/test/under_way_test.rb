# frozen_string_literal: true

require_relative "support/living"

class LongChannel < ApplicationCable::Channel
  class << self
    attr_accessor :go_on, :told
  end

  def subscribed
    stream_from("long-old")
  end

  def report
    transmit({ done: "half" })
    self.class.go_on.pop
    transmit({ done: "all" })
  end

  def take_time
    transmit({ done: "half" })
    sleep Cablestay::UnderWay::LONGER * 5
    transmit({ done: "all" })
  end

  def leave_and_tell
    stop_stream_from("long-old")
    tell("long-old")
    tell("long-old")
  end

  def follow_and_tell
    stream_from("long-new")
    self.class.go_on.pop
    tell("long-new")
    tell("long-new")
  end

  def follow_leave_and_tell
    stream_from("long-new")
    self.class.go_on.pop
    stop_stream_from("long-new")
    tell("long-new")
  end

  def leave_and_follow
    stop_stream_from("long-old")
    self.class.go_on.pop
    stream_from("long-old")
    tell("long-old")
  end

  private
    def tell(broadcasting)
      ActionCable.server.broadcast(broadcasting, { told: broadcasting })
      self.class.told << broadcasting
    end
end

class UnderWayTest < ActiveSupport::TestCase
  include Living

  setup do
    LongChannel.go_on, LongChannel.told = Queue.new, Queue.new
    @client.subscribe("LongChannel")
    @identifier = identifier("LongChannel")
  end

  teardown { LongChannel.go_on.close }

  test "what an action transmits that goes on is sent before its end, and not again" do
    answer = performing("report") do
      assert_equal [ [ "half" ] ], [ sent.map { |effect| transmitted(effect)["done"] } ]
      LongChannel.go_on << true
    end
    assert_equal [ { "done" => "all" } ], answer.messages
  end

  test "an answer that goes another way waits until the bridge has applied what was sent" do
    answer = Thread.new { @client.perform("LongChannel", "report") }
    assert_equal [ "half" ], (sent.map { |effect| transmitted(effect)["done"] })
    LongChannel.go_on << true
    question = @bridge.receive
    assert_equal({ "ask" => "applied", "live" => false }, question.except("id"))
    assert answer.alive?
    @bridge.send_line(id: question["id"], applied: true)
    assert_equal [ { "done" => "all" } ], answer.value.messages
  end

  test "without a link all is in the answer" do
    bridge = Bridge.new
    @client = bridge.client
    @client.subscribe("LongChannel")
    assert_equal [ { "done" => "half" }, { "done" => "all" } ], @client.perform("LongChannel", "take_time").messages
  end

  test "events that come after a rest are looked at, too" do
    await { Cablestay::UnderWay.instance_variable_get(:@resting) }
    answer = performing("report") do
      assert_equal 1, sent.size
      LongChannel.go_on << true
    end
    assert_equal 200, answer.status
  end

  test "a stream is left before something is published to it" do
    answer = performing("leave_and_tell") do
      assert_equal [ { "effect" => "stop_stream", "broadcasting" => "long-old", "identifier" => @identifier } ], sent
      question = @bridge.receive
      assert_equal({ "ask" => "applied", "live" => false }, question.except("id"))
      assert_empty LongChannel.told
      @bridge.send_line(id: question["id"], applied: true)
    end
    assert_empty answer.effects
    assert_equal 2, LongChannel.told.size
  end

  test "a stream that the bridge has been told of is followed before something is published to it" do
    answer = performing("follow_and_tell") do
      assert_equal [ { "effect" => "stream", "broadcasting" => "long-new", "identifier" => @identifier } ], sent
      LongChannel.go_on << true
      question = @bridge.receive
      assert_equal({ "ask" => "applied", "live" => true }, question.except("id"))
      assert_empty LongChannel.told
      @bridge.send_line(id: question["id"], applied: true)
    end
    assert_empty answer.effects
    assert_equal 2, LongChannel.told.size
  end

  test "one that is left again, too, is left before something is published to it" do
    answer = performing("follow_leave_and_tell") do
      assert_equal "stream", sent.first["effect"]
      LongChannel.go_on << true
      assert_equal "stop_stream", sent.first["effect"]
      assert_empty LongChannel.told
      @bridge.send_line(id: @bridge.receive["id"], applied: true)
    end
    assert_empty answer.effects
    assert_equal 1, LongChannel.told.size
  end

  test "a stream that the bridge has left by now begins anew" do
    answer = performing("leave_and_follow") do
      assert_equal "stop_stream", sent.first["effect"]
      LongChannel.go_on << true
    end
    assert_equal [ "stream", "broadcast" ], answer.kinds
  end

  private
    # Runs the action along the link, and the block meanwhile.
    def performing(action)
      members = { bridge: @bridge.id, connection: "connection-1", handshake: Bridge.handshake, connection_state: @client.state,
        identifier: @identifier, state: @client.states[@identifier], data: JSON.generate(action: action) }
      answer = Thread.new { @bridge.ask_link("perform", **members) }
      yield
      Timeout.timeout(10) { answer.value }
    end

    def sent
      line = @bridge.receive
      assert_equal "connection-1", line["connection"]
      line.fetch("effects")
    end

    def transmitted(effect)
      assert_equal [ "transmit", nil ], effect.values_at("effect", "identifier")
      JSON.parse(effect["frame"])["message"]
    end
end

class EffectsTest < ActiveSupport::TestCase
  setup do
    @sent = []
    @effects = Cablestay::Effects.new("own", nil, ->(effects) { @sent.concat(effects) })
  end

  test "what tells the end of a subscription is the answer's, and what comes after it" do
    first = @effects.record("transmit", frame: "1")
    @effects.record("confirm", frame: "2")
    @effects.record("transmit", frame: "3")
    assert @effects.send_as_far_as(first)
    @effects.send_since(Cablestay::UnderWay.now)
    assert_equal [ "1" ], (@sent.map { |effect| effect[:frame] })
    assert_equal [ "2", "3" ], (@effects.finish.map { |effect| effect[:frame] })
  end

  test "nothing is sent while it is held back" do
    stream = @effects.record("stream", broadcasting: "a")
    @effects.hold_back(stream) do |sent|
      assert_not sent
      @effects.record("transmit", frame: "1")
      @effects.send_since(Cablestay::UnderWay.now)
      assert_empty @sent
    end
    @effects.send_since(Cablestay::UnderWay.now)
    assert_equal [ "stream", "transmit" ], (@sent.map { |effect| effect[:effect] })
    assert_equal [ "own", nil ], (@sent.map { |effect| effect[:identifier] })
    assert_empty @effects.finish
  end

  test "what has not waited for so long waits on" do
    before = Cablestay::UnderWay.now
    @effects.record("transmit", frame: "1")
    @effects.send_since(before - 1)
    assert_empty @sent
  end

  test "what can't be sent is in the answer" do
    effects = Cablestay::Effects.new("own", nil, ->(_) { false })
    transmitted = effects.record("transmit", frame: "1")
    effects.send_since(Cablestay::UnderWay.now)
    assert_not effects.send_as_far_as(transmitted)
    assert_not effects.any_sent?
    assert_equal [ transmitted ], effects.finish
  end
end
