# frozen_string_literal: true

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

  def close_all
    connection.close
  end

  def keep_large
    @large = "x" * 100_000
  end
end

class AtHandTest < ActiveSupport::TestCase
  include Living

  setup do
    Cablestay::AtHand.current = Cablestay::AtHand.new(500)
    subscribed = @client.subscribe("ActingChannel")
    assert_equal [ "confirm" ], subscribed.kinds
  end

  teardown { Cablestay::AtHand.current = Cablestay::AtHand.new(500) }

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
    left = Cablestay::AtHand::Left.new("c", "s", Struct.new(:hold).new, nil, Struct.new(:bytesize).new(1))
    [ %w[ one a ], %w[ one b ], %w[ two a ], %w[ one a ], %w[ three a ] ].each { |connection, identifier| at_hand.put(connection, identifier, left) }

    assert_equal 3, at_hand.size
    assert_nil at_hand.take("two", "a", "c", "s")
    [ %w[ one a ], %w[ one b ], %w[ three a ] ].each { |key| assert_same left, at_hand.take(*key, "c", "s") }
    assert_equal 0, at_hand.size
  end

  private
    def perform(action)
      @client.perform("ActingChannel", action)
    end

    def tell
      perform("tell").messages.first
    end

    def forget
      Cablestay::AtHand.current.forget("connection-1")
    end

    def take
      identifier = identifier("ActingChannel")
      Cablestay::AtHand.current.take("connection-1", identifier, @client.state, @client.states[identifier])
    end
end
