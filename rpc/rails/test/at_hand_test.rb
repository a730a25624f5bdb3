# frozen_string_literal: true

require "objspace"
require_relative "support/living"

class ActingChannel < ApplicationCable::Channel
  def subscribed
    @text, @at, @count = +"a", Time.now, 0
  end

  def tell
    transmit({ object: __id__, text: @text, count: @count, new: @new })
  end

  def change
    @text << "b"
    @count += 1
  end

  def make
    @new = "new"
  end

  def turn_on
    @on = true
  end

  def register_and_turn_off
    self.class.registry << self
    @on = false
  end

  def shout
    @text.extend(Shouting)
  end

  def tag
    connection.logger.tags << "mine"
  end

  def tell_tags
    transmit({ tags: connection.logger.tags, shouting: @text.singleton_class.include?(Shouting) })
  end

  def stream_block
    stream_from("at-hand") { |raw| transmit({ raw: raw }) }
  end

  def follow
    Elsewhere.all << self
    stream_from "followed"
    transmit({ history: "x" * 200_000 })
  end

  def unfollow
    stop_all_streams
  end

  def tell_outside
    transmit({ outside: true })
  end

  class << self
    def registry
      @registry ||= []
    end
  end

  module Shouting
  end

  # Where the gem does not look for channels.
  module Elsewhere
    class << self
      def all
        @all ||= []
      end
    end
  end

  def close_all
    connection.close
  end

  def keep_large
    @large = "x" * 100_000
  end
end

class RememberingChannel < ApplicationCable::Channel
  def subscribed
    transmit({ connection: connection.__id__, joined: connection.instance_variable_get(:@joined) })
    connection.instance_variable_set(:@joined, connection.subscriptions.identifiers.size)
  end
end

class PartingChannel < ApplicationCable::Channel
  def tell
    transmit({ object: __id__ })
  end

  def unsubscribed
    self.class.ended << { object: __id__, subscriptions: connection.subscriptions.identifiers }
  end

  def self.ended
    @ended ||= []
  end
end

class AtHandTest < ActiveSupport::TestCase
  include Living

  setup do
    Cablestay::AtHand.current = Cablestay::AtHand.new(500)
    subscribed = @client.subscribe("ActingChannel")
    assert_equal [ "confirm" ], subscribed.kinds
  end

  teardown do
    Cablestay::AtHand.current = Cablestay::AtHand.new(500)
    ActingChannel.registry.clear
    PartingChannel.ended.clear
    ActingChannel::Elsewhere.all.clear
    Cablestay::Live::Offer.instance_variable_get(:@known).clear
  end

  test "an action finds the objects that the last one left" do
    assert_equal tell["object"], tell["object"]
  end

  test "what they keep is in the state all the same" do
    perform "change"
    perform "make"
    at_hand = tell
    forget

    assert_equal({ "text" => "ab", "count" => 1, "new" => "new" }, at_hand.except("object"))
    elsewhere = tell
    assert_equal at_hand.except("object"), elsewhere.except("object")
    refute_equal at_hand["object"], elsewhere["object"]
  end

  test "the first subscribe finds the connection that connect left, the next ones what its state says" do
    object = nil
    with_connection(remembering { object = __id__ }) do
      assert_equal 1, Cablestay::AtHand.current.size
      first = @client.subscribe("RememberingChannel", n: 1)
      assert_equal [ object, nil ], first.messages.first.values
      assert first["connection_state"]

      second = @client.subscribe("RememberingChannel", n: 2)
      refute_equal object, second.messages.first["connection"]
      assert_equal 1, second.messages.first["joined"]
    end
  end

  test "a first subscribe that brings another state of the connection is not for what connect left" do
    object = nil
    with_connection(remembering { object = __id__ }) do
      @client.state = changed_elsewhere { |connection| connection.instance_variable_set(:@joined, "elsewhere") }
      seen = @client.subscribe("RememberingChannel").messages.first
      refute_equal object, seen["connection"]
      assert_equal "elsewhere", seen["joined"]
    end
  end

  test "a connection that connect has closed, or whose socket is to live on, is not left" do
    size = Cablestay::AtHand.current.size
    with_connection(remembering { close }) { assert_equal size, Cablestay::AtHand.current.size }
    with_connection(remembering { @thread = Thread.new { } }) { assert_equal size, Cablestay::AtHand.current.size }
  end

  test "what a first subscribe keeps alive says nothing before the bridge has applied its answer" do
    with_connection(remembering { }) do
      answer = @client.subscribe("BlockStreamChannel")
      @identifier, @live = identifier("BlockStreamChannel"), answer["live"]
      outside = outside(answer)
      outside.record("transmit", identifier: @identifier, frame: JSON.generate(identifier: @identifier, message: "early"))
      assert_equal 0, @bridge.lines.size
      attach(answer)
      frames = [ receive_frame ]
      frames << receive_frame until frames.last["message"] == "early"
    end
  end

  test "an action that brings another state of the channel finds nothing" do
    earlier = @client.states.dup
    perform "change"
    @client.states.replace(earlier)
    assert_equal "a", tell["text"]
  end

  test "nor does one that brings another state of the connection" do
    object = tell["object"]
    @client.state = changed_elsewhere { |connection| connection.instance_variable_set(:@elsewhere, 1) }
    refute_equal object, tell["object"]
  end

  test "nobody finds what another event uses" do
    tell
    assert take
    assert_nil take
  end

  test "what a channel holds on to that can't travel keeps it alive instead" do
    @client.subscribe("ProcKeepingChannel")
    assert_equal 0, Cablestay::AtHand.current.size
  end

  test "the end of a connection finds the objects that its last action left" do
    object = tell_ending
    @client.disconnect
    assert_equal object, PartingChannel.ended.last[:object]
  end

  test "but not where there are more subscriptions, or their states are other ones" do
    object = tell_ending
    @client.subscribe("PlainChannel")
    @client.disconnect
    refute_equal object, PartingChannel.ended.last[:object]

    object = tell_ending
    @client.state = changed_elsewhere { |connection| connection.instance_variable_set(:@elsewhere, 1) }
    @client.disconnect
    refute_equal object, PartingChannel.ended.last[:object]
  end

  test "it knows of no subscription that has gone since" do
    object = tell_ending(identifiers: [ "gone since", identifier("PartingChannel") ])
    @client.disconnect
    assert_equal({ object: object, subscriptions: [ identifier("PartingChannel") ] }, PartingChannel.ended.last)
  end

  test "a connection that is closed, or ends, leaves nothing" do
    tell
    perform "close_all"
    assert_equal 0, Cablestay::AtHand.current.size

    @client = @bridge.client
    @client.subscribe("ActingChannel")
    tell
    @client.disconnect
    assert_equal 0, Cablestay::AtHand.current.size
  end

  test "nor does a subscription that ends" do
    tell
    @client.unsubscribe("ActingChannel")
    assert_equal 0, Cablestay::AtHand.current.size
  end

  test "a channel that is held from then on tells what it changes back" do
    perform "turn_on"
    perform "tell"
    answer = perform("register_and_turn_off")
    @identifier, @live = identifier("ActingChannel"), answer["live"]
    attach(answer)
    assert perform_live("turn_on")["state"]
  end

  test "what changes in place without being another value is in the state" do
    perform "tell"
    perform "shout"
    perform "tag"
    forget
    told = perform("tell_tags").messages.first
    assert_equal [ "mine", true ], [ told["tags"].last, told["shouting"] ]
  end

  test "what an action transmitted is not kept" do
    perform "follow"
    left = take
    assert_nil ObjectSpace.reachable_objects_from(left.surroundings.instance_variable_get(:@known).values.first).find { |object| Cablestay::Streams === object }
  end

  test "a link that has ended is no longer the road of what was left by it" do
    along_link "tell"
    assert_equal 1, Cablestay::AtHand.current.size
    @bridge.forget_link
    assert perform("stream_block")["live"]
    await { subscribers("at-hand") == 1 } # Rails 6.1 can't leave before it is there
  end

  test "what was offered is not at hand any more" do
    perform "follow"
    ActingChannel::Elsewhere.all.last.tell_outside
    offer = nil
    offer = @bridge.receive["offer"] until offer
    @bridge.send_line(drop: offer["hold"])
    await { Cablestay::Live::Holds.find(offer["hold"]).nil? }

    assert_includes perform("unfollow").kinds, "stop_stream"
  end

  test "a large state is not kept twice" do
    perform "keep_large"
    assert_equal 0, Cablestay::AtHand.current.size
  end

  test "nothing is at hand where records are to be found again, or code is loaded again, or the app does not want it" do
    Cablestay::State::Setting.current = Cablestay::State::Setting.new({ channels: :reload })
    tell
    assert_equal 0, Cablestay::AtHand.current.size
    Cablestay::State::Setting.current = Cablestay::State::Setting.new(:snapshot)

    [ Cablestay::AtHand.configured(500, reloading: true), Cablestay::AtHand.configured(0) ].each do |at_hand|
      Cablestay::AtHand.current = at_hand
      tell
      assert_equal 0, at_hand.size
    end
  ensure
    Cablestay::State::Setting.current = Cablestay::State::Setting.new(:snapshot)
  end

  test "a setting that is no number of subscriptions is an error that names it" do
    [ -1, "500", nil, 1.5 ].each do |setting|
      error = assert_raises(Cablestay::ConfigurationError) { Cablestay::AtHand.configured(setting) }
      assert_equal "config.cablestay.at_hand is #{setting.inspect}: it must be a number of subscriptions, or 0", error.message
    end
  end

  test "of too many, those go whose connection was used the longest ago" do
    at_hand = Cablestay::AtHand.new(3)
    left = Cablestay::AtHand::Left.new("c", "s", Struct.new(:offered).new, nil, Struct.new(:bytesize).new(1))
    [ %w[ one a ], %w[ one b ], %w[ two a ], %w[ one a ], %w[ three a ] ].each { |connection, identifier| at_hand.put(connection, identifier, left) }

    assert_equal 3, at_hand.size
    assert_nil at_hand.take("two", "a", "c", "s")
    [ %w[ one a ], %w[ one b ], %w[ three a ] ].each { |key| assert_same left, at_hand.take(*key, "c", "s") }
    assert_equal 0, at_hand.size
  end

  private
    def remembering(&block)
      Class.new(@connection) do
        define_method(:connect) do
          super()
          instance_exec(&block)
        end
      end
    end

    def perform(action)
      @client.perform("ActingChannel", action)
    end

    def along_link(action)
      identifier = identifier("ActingChannel")
      @bridge.ask_link("perform", bridge: @bridge.id, connection: "connection-1", handshake: Bridge.handshake, connection_state: @client.state,
        identifier: identifier, state: @client.states[identifier], data: JSON.generate(action: action))
    end

    def tell
      perform("tell").messages.first
    end

    # Of a client with no other subscription.
    def tell_ending(**others)
      @client = @bridge.client
      @client.subscribe("PartingChannel")
      @client.command("perform", identifier("PartingChannel"), data: '{"action":"tell"}', **others).messages.first["object"]
    end

    def forget
      Cablestay::AtHand.current.forget("connection-1")
    end

    def take
      identifier = identifier("ActingChannel")
      Cablestay::AtHand.current.take("connection-1", identifier, @client.state, @client.states[identifier])
    end
end
