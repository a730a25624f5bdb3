# frozen_string_literal: true

require_relative "support/linked_bridge"

class SharingConnection < ActionCable::Connection::Base
  Cart = Struct.new(:items, :note)

  identified_by :user
  attr_accessor :cart, :other

  def connect
    self.user = +"ann"
    self.cart = Cart.new([ +"apple" ], { gift: true })
  end
end

# Runs what a test tells it to, in the order of the events.
class SharingChannel < ActionCable::Channel::Base
  class << self
    attr_accessor :step
  end

  def step
    transmit({ seen: instance_exec(&self.class.step) })
  end
end

# A presenter that gives its methods to what it presents, as Draper's and others do.
class CartPresenter < SimpleDelegator
end

# What a channel and its connection both hold is one object in every event, as in stock.
class SharingTest < ActiveSupport::TestCase
  setup do
    @before = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { SharingConnection }
    @client = Bridge.new.client
    2.times { |n| @client.subscribe("SharingChannel", n: n) }
  end

  teardown { ActionCable.server.config.connection_class = @before }

  test "an object of the app's stays one, whoever changes it" do
    step { @cart = connection.cart }
    step { @cart.items << "pear" }
    step(1) { connection.cart.items << "plum" }

    assert_equal [ %w[ apple pear plum ], true ], step { [ @cart.items, @cart.equal?(connection.cart) ] }
  end

  test "two channels hold the same one of the connection's" do
    2.times { |n| step(n) { @mine = connection.cart } }
    step(0) { @mine.items << "pear" }

    assert_equal [ %w[ apple pear ], true ], step(1) { [ @mine.items, @mine.equal?(connection.cart) ] }
  end

  test "strings, arrays and hashes stay one, deep in either of them" do
    step { @user, @items, @deep = user, connection.cart.items, { list: [ connection.cart.note ] } }
    step { @user << "a"; @items << "pear"; @deep[:list].first[:paid] = true }

    assert_equal [ "anna", %w[ apple pear ], { "gift" => true, "paid" => true } ],
      step(1) { [ user, connection.cart.items, connection.cart.note ] }
    assert_equal [ true ] * 3, step {
      [ @user.equal?(user), @items.equal?(connection.cart.items), @deep[:list].first.equal?(connection.cart.note) ]
    }
  end

  test "an object that holds the connection's does so still" do
    step { @presenter = CartPresenter.new(connection.cart); @exact = @presenter.items }
    step(1) { connection.cart.items << "pear" }

    assert_equal [ %w[ apple pear ], true, true ],
      step { [ @presenter.items, @presenter.__getobj__.equal?(connection.cart), @exact.equal?(connection.cart.items) ] }
  end

  test "what the channel gives to the connection is one object too" do
    step { connection.other = @mine = [ 1 ] }
    step(1) { connection.other << 2 }

    assert_equal [ [ 1, 2 ], true ], step { [ @mine, @mine.equal?(connection.other) ] }
  end

  test "a channel keeps its own when the connection is given another, even an equal one" do
    step { @cart = connection.cart }
    step(1) { connection.cart = connection.cart.dup.tap { |cart| cart.items = [ "new" ] } }

    assert_equal [ %w[ apple ], %w[ new ] ], step { [ @cart.items, connection.cart.items ] }
    step { @cart.items << "pear" }
    assert_equal [ %w[ apple pear ], %w[ new ] ], step { [ @cart.items, connection.cart.items ] }
  end

  test "objects that were only equal do not become one" do
    step { @cart = connection.cart.dup; @items = connection.cart.items.dup }
    assert_equal [ false, false ], step { [ @cart.equal?(connection.cart), @items.equal?(connection.cart.items) ] }
  end

  test "the object stays one at the end of the connection" do
    2.times { |n| step(n) { @cart = connection.cart } }
    seen = []
    SharingChannel.define_method(:unsubscribed) { @cart.items << "x"; seen << [ @cart.equal?(connection.cart), @cart.items.size ] }
    @client.disconnect

    assert_equal [ [ true, 2 ], [ true, 3 ] ], seen
  ensure
    SharingChannel.remove_method(:unsubscribed)
  end

  test "an event that only looks sends no state" do
    step { @cart = connection.cart }
    SharingChannel.step = -> { @cart.items.size + connection.cart.items.size }
    answer = @client.perform("SharingChannel", "step", { n: 0 })

    assert_equal [ false, false ], [ answer.body.key?("state"), answer.body.key?("connection_state") ]
  end

  test "what is shared and can't travel is left out of both, the rest stays one" do
    step { connection.other = @lost = [ -> { } ]; @cart = connection.cart; true }

    assert_equal [ nil, nil, true ], step { [ @lost, connection.other, @cart.equal?(connection.cart) ] }
  end

  test "with a channel that lives on, the others' objects stay one too" do
    living do
      step(1) { @cart = connection.cart }
      step(1) { @cart.items << "pear" }
      step(0) { @seen = connection.cart.items.size }
      step(0) { connection.cart.items << "plum" }

      assert_equal [ %w[ apple pear plum ], true ], step(1) { [ @cart.items, @cart.equal?(connection.cart) ] }
    end
  end

  test "a channel that lives on sees what the others do to what it shares with the connection" do
    living do
      step(0) { @cart = connection.cart; @deep = { items: connection.cart.items } }
      step(1) { connection.cart.items << "pear" }

      assert_equal [ %w[ apple pear ], true, true ], step(0) { [ @cart.items, @cart.equal?(connection.cart), @deep[:items].equal?(@cart.items) ] }
    end
  end

  private
    # The first channel keeps what can't travel.
    def living
      bridge = LinkedBridge.new
      @client = bridge.client
      2.times { |n| @client.subscribe("SharingChannel", n: n) }
      SharingChannel.step = -> { @lock = Mutex.new }
      hold = @client.perform("SharingChannel", "step", { n: 0 })["live"]["hold"]
      @living = lambda do
        bridge.ask_link("perform", hold: hold, connection: "connection-1", connection_state: @client.state,
          identifier: @client.identifier("SharingChannel", n: 0), data: '{"action":"step"}')
          .tap { |answer| @client.state = answer["connection_state"] || @client.state }
      end
      yield
      assert_equal true, step(0) { @lock.is_a?(Mutex) }
    ensure
      bridge.close
    end

    def step(n = 0, &block)
      SharingChannel.step = block
      answer = n.zero? && @living ? @living.call : @client.perform("SharingChannel", "step", { n: n })
      answer.messages.fetch(0) { flunk(answer.inspect) }["seen"]
    end
end
