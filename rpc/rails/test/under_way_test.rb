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

  # It reports once more just before its end, on what it has set.
  def report_twice
    transmit({ done: "half" })
    self.class.go_on.pop
    connection.instance_variable_set(:@room, 2)
    transmit({ done: "all" })
  end

  def leave_and_report
    stop_stream_from("long-old")
    transmit({ done: "left" })
    sleep Cablestay::UnderWay::LONGER * 3
  end

  def stop_begin_and_stop
    stop_stream_from("long-old")
    stream_from("long-old")
    stop_stream_from("long-old")
    tell("long-old")
  end

  def switch
    stop_stream_from("long-old")
    transmit({ switched: true })
    tell("long-old")
  end

  def die
    transmit({ done: "half" })
    self.class.go_on.pop
    Thread.current.kill
  end

  def unsubscribed
    transmit({ bye: true })
    sleep Cablestay::UnderWay::LONGER * 3
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
      assert_equal [ "half" ], (sent.map { |effect| transmitted(effect)["done"] })
      LongChannel.go_on << true
    end
    assert_equal [ { "done" => "all" } ], answer.messages
  end

  test "what it transmits just before its end comes with the state that it leaves" do
    answer = performing("report_twice") do
      assert_equal [ "half" ], (sent.map { |effect| transmitted(effect)["done"] })
      LongChannel.go_on << true
    end
    assert_equal [ { "done" => "all" } ], answer.messages
    assert answer["connection_state"]
  end

  test "what it transmits after it has left a stream is not sent before that is left" do
    answer = performing("leave_and_report") { }
    assert_equal %w[ stop_stream transmit ], answer.kinds
    assert_empty @bridge.lines
  end

  test "without a link, over HTTP and in an unsubscribe, which may run again, all is in the answer" do
    assert_equal [ { "done" => "half" }, { "done" => "all" } ], @client.perform("LongChannel", "take_time").messages
    assert_equal [ { "bye" => true } ], ask("unsubscribe").messages
    assert_empty @bridge.lines

    @client = Bridge.new.client
    @client.subscribe("LongChannel")
    assert_equal [ { "done" => "half" }, { "done" => "all" } ], @client.perform("LongChannel", "take_time").messages
  end

  test "an event whose thread the app kills has transmitted what it had until then" do
    answer = performing("die") do
      assert_equal [ "half" ], (sent.map { |effect| transmitted(effect)["done"] })
      LongChannel.go_on << true
    end
    assert_equal 500, answer.status
  end

  test "events that come after a rest are looked at, too" do
    performing("report") { LongChannel.go_on << true } # it has begun to look
    await { Cablestay::UnderWay.instance_variable_get(:@resting) }
    @bridge.lines.clear
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
      assert_equal({ "ask" => "applied" }, question.except("id"))
      assert_empty LongChannel.told
      @bridge.send_line(id: question["id"], applied: true)
    end
    assert_empty answer.effects
    assert_equal 2, LongChannel.told.size
  end

  test "nothing else goes ahead with that" do
    answer = performing("switch") do
      assert_equal [ "stop_stream" ], (sent.map { |effect| effect["effect"] })
      question = @bridge.receive
      assert_equal "applied", question["ask"] # and not what it has transmitted
      @bridge.send_line(id: question["id"], applied: true)
    end
    assert_equal 200, answer.status
  end

  test "a stream that is stopped, begun and stopped again is left before something is published to it" do
    answer = performing("stop_begin_and_stop") do
      assert_equal [ "stop_stream" ], (sent.map { |effect| effect["effect"] })
      @bridge.send_line(id: @bridge.receive["id"], applied: true)
    end
    assert_empty answer.effects
  end

  test "where the bridge does not say that it has left the stream, the answer says so again" do
    answer = performing("switch") do
      sent
      @bridge.send_line(id: @bridge.receive["id"])
    end
    assert_equal %w[ stop_stream transmit ], answer.kinds
  end

  private
    # Runs the action along the link, and the block meanwhile.
    def performing(action)
      answer = Thread.new { ask("perform", data: JSON.generate(action: action)) }
      yield
      Timeout.timeout(10) { answer.value }
    end

    def ask(event, **members)
      @bridge.ask_link(event, bridge: @bridge.id, connection: "connection-1", handshake: Bridge.handshake, connection_state: @client.state,
        identifier: @identifier, state: @client.states[@identifier], **members)
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

  %w[ broadcast stop_stream confirm reject close ].each do |barrier|
    test "nothing is transmitted before a #{barrier} that came first" do
      %w[ stream transmit timer transmit ].push(barrier, "transmit").each_with_index { |effect, n| @effects.record(effect, frame: n) }
      @effects.send_transmitted(Cablestay::UnderWay.now)
      assert_equal [ 1, 3 ], (@sent.map { |effect| effect[:frame] })
      assert_equal [ 0, 2, 4, 5 ], (@effects.finish.map { |effect| effect[:frame] })
    end
  end

  test "what was transmitted since then waits on" do
    @effects.record("transmit", frame: "old")
    time = Cablestay::UnderWay.now
    @effects.record("transmit", frame: "new")
    @effects.send_transmitted(time)
    assert_equal [ "old" ], (@sent.map { |effect| effect[:frame] })
  end

  test "what can't be sent is in the answer" do
    effects = Cablestay::Effects.new("own", nil, ->(_) { false })
    recorded = [ effects.record("transmit", frame: "1"), effects.record("stop_stream", broadcasting: "a") ]
    effects.send_transmitted(Cablestay::UnderWay.now)
    effects.send_ahead(recorded.last) { flunk "it was not sent" }
    assert_equal recorded, effects.finish
  end

  test "after the end nothing is sent" do
    stop = @effects.record("stop_stream", broadcasting: "a")
    @effects.finish
    @effects.send_ahead(stop) { flunk "it was not sent" }
    @effects.send_transmitted(Cablestay::UnderWay.now)
    assert_empty @sent
  end
end
