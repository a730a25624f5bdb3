# frozen_string_literal: true

require_relative "support/living"

# A list of channels that is nobody's of theirs.
module Elsewhere
  def self.all
    @all ||= []
  end
end

class KeptChannel < ApplicationCable::Channel
  def subscribed
    Elsewhere.all << self
  end

  def unsubscribed
    Elsewhere.all.delete(self)
  end

  def tell(text)
    @told = @told.to_i + 1
    transmit({ told: text })
  end

  def count
    transmit({ told: @told })
  end
end

class RegisteredChannel < ApplicationCable::Channel
  ROOMS = Hash.new { |rooms, room| rooms[room] = Set.new.compare_by_identity }

  def subscribed
    ROOMS[params[:room]] << self
  end

  def unsubscribed
    ROOMS[params[:room]].delete(self)
    transmit({ left: ROOMS[params[:room]].size })
  end
end

class LiveRegistryTest < ActiveSupport::TestCase
  include Living

  setup { Elsewhere.all.clear }

  test "a channel that is in a list of its class stays the one that it is" do
    answer = subscribe_live("RegisteredChannel", room: "1")
    assert_equal "its class keeps it", answer["live"]["why"]
    attach(answer)
    assert_equal [ { "left" => 0 } ], live("unsubscribe").messages
  end

  test "a connection that is in a list of its class stays the one that it is" do
    type = Class.new(@connection) do
      @all = []
      singleton_class.attr_reader :all
      define_method(:connect) do
        super()
        type = self.class
        type.all << self
      end
    end
    with_connection(type) do
      assert_equal [ true, "its class keeps it" ], @client.opened["live"].values_at("connection", "why")
    end
  end

  test "a channel that something in the process has kept is offered when it transmits, and its class is held from then on" do
    assert_nil subscribe_live("KeptChannel")["live"]
    Elsewhere.all.last.tell("first")
    assert_equal({ "told" => "first" }, receive_frame["message"])
    offer = @bridge.receive
    assert_equal [ "connection-1", @identifier, @client.last_event ], offer.values_at("connection", "identifier", "event")
    @live = offer["offer"]
    attach("live" => @live)
    assert_equal [ { "told" => 1 } ], perform_live("count").messages
    Elsewhere.all.last.tell("second")
    assert_equal({ "told" => "second" }, receive_frame["message"])
    live("unsubscribe")
    assert_equal [], Elsewhere.all

    assert_equal "it transmits outside of events", subscribe_live("KeptChannel")["live"]["why"]
  ensure
    Cablestay::Live::Offer.instance_variable_get(:@known).clear
  end

  test "an offer that is not taken is forgotten, and what the channel transmits still comes" do
    subscribe_live("KeptChannel")
    Elsewhere.all.last.tell("first")
    receive_frame
    offer = @bridge.receive["offer"]
    @bridge.send_line(drop: offer["hold"])
    await { Cablestay::Live::Holds.find(offer["hold"]).nil? }

    Elsewhere.all.last.tell("second")
    assert_equal({ "told" => "second" }, receive_frame["message"])
    assert @bridge.lines.empty?
  ensure
    Cablestay::Live::Offer.instance_variable_get(:@known).clear
  end

  test "an offer that the bridge has not taken when it goes is forgotten: its unsubscribed runs elsewhere" do
    subscribe_live("KeptChannel")
    Elsewhere.all.last.tell("first")
    receive_frame
    offer = @bridge.receive["offer"]
    hold = Cablestay::Live::Holds.find(offer["hold"])
    @bridge.close
    await { Cablestay::Live::Holds.find(offer["hold"]).nil? }

    assert_nil hold.surroundings.hold
    assert_equal 1, Elsewhere.all.size
  ensure
    Cablestay::Live::Offer.instance_variable_get(:@known).clear
  end

  test "an offer that is not taken leaves the streams of its channel" do
    subscribe_live("KeptChannel")
    channel = Elsewhere.all.last
    Thread.new { channel.stream_from("dropped") { |message| channel.tell(message) } }.join
    await { subscribers("dropped") == 1 }
    offer = nil
    offer = @bridge.receive["offer"] until offer
    @bridge.send_line(drop: offer["hold"])
    await { subscribers("dropped").zero? }

    assert_nil Cablestay::Live::Holds.find(offer["hold"])
  ensure
    Cablestay::Live::Offer.instance_variable_get(:@known).clear
  end

  test "a channel is found in a list of its class, however long" do
    type = Class.new(ActionCable::Channel::Base)
    one = type.allocate
    type.instance_variable_set(:@all, Array.new(1_500) { Object.new } << one)

    assert Cablestay::Live::Registries.keep?(one, ActionCable::Channel::Base)
  end
end
