# frozen_string_literal: true

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table(:owners) { |table| table.string :name; table.integer :visits }
  create_table(:pets) { |table| table.references :owner; table.string :name }
end

class Owner < ActiveRecord::Base
  attr_accessor :seen_by
  has_many :pets
end

class Pet < ActiveRecord::Base
  belongs_to :owner
end

class MergingConnection < ActionCable::Connection::Base
  identified_by :user
  attr_accessor :cart, :count, :list, :same, :owner, :whole

  def connect
    self.user, self.cart, self.count, self.list = "ann", { "items" => [ 1 ] }, 0, [ "a" ]
    self.owner = Owner.last
    self.same = list
    self.whole = self
    logger.add_tags "ann"
  end
end

class MergingChannel < ActionCable::Channel::Base
  class << self
    attr_accessor :step
  end

  def step
    transmit({ seen: instance_exec(&self.class.step) })
  end
end

# Two events of one connection run at the same time: neither may undo what the other did to the connection.
class MergeTest < ActiveSupport::TestCase
  setup do
    Owner.create!(name: "owner", visits: 1).pets.create!(name: "rex")
    @connection_class = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { MergingConnection }
    @client = Bridge.new.client
    3.times { |n| @client.subscribe("MergingChannel", n: n) }
    @before = @client.state
  end

  teardown { ActionCable.server.config.connection_class = @connection_class }

  test "a variable that one of them changed is as that one left it" do
    log = merging(-> { connection.count = 1; connection.instance_variable_set(:@fresh, 1) }, -> { connection.list << "b"; connection.cart = nil })

    assert_equal [ 1, 1, %w[ a b ], nil, "ann", true ], look {
      [ connection.count, connection.instance_variable_get(:@fresh), connection.list, connection.cart, user, connection.whole.equal?(connection) ]
    }
    assert_empty log
  end

  test "where both changed one, the later answer's is kept, and the log tells which is lost" do
    log = merging(-> { connection.count = 1; connection.list << "b" }, -> { connection.count = 2 })

    assert_equal [ 2, %w[ a b ] ], look { [ connection.count, connection.list ] }
    assert_includes log, "[Cablestay] MergingConnection loses a change of @count: two events of the connection changed it at the same time"
    assert_not_includes log, "@list"
  end

  test "where both made the same of it, nothing is lost" do
    log = merging(*[ -> { connection.count = 7; connection.list << "b" } ] * 2)

    assert_equal [ 7, %w[ a b ] ], look { [ connection.count, connection.list ] }
    assert_empty log
  end

  test "a variable that one of them removed is gone" do
    log = merging(-> { connection.remove_instance_variable(:@cart) && 1 }, -> { connection.count = 1 })
    assert_equal [ false, 1 ], look { [ connection.instance_variable_defined?(:@cart), connection.count ] }

    @before = @client.state
    log << merging(-> { connection.count = 2 }, -> { connection.remove_instance_variable(:@list) && 1 })
    assert_equal [ false, 2 ], look { [ connection.instance_variable_defined?(:@list), connection.count ] }
    assert_empty log
  end

  test "log tags are those of both, in their order" do
    merging(-> { connection.logger.add_tags("first", "both"); 1 }, -> { connection.logger.add_tags("both", "second"); 1 })

    assert_equal %w[ Dummy ann first both second ], look { logger.tags }
  end

  test "objects that variables share stay one where they come from one side" do
    merging(-> { connection.count = 1 }, -> { connection.list << "b"; connection.instance_variable_set(:@holder, { cart: connection.cart }); 1 })

    assert_equal [ %w[ a b ], true, true ], look {
      [ connection.list, connection.list.equal?(connection.same), connection.instance_variable_get(:@holder)[:cart].equal?(connection.cart) ]
    }
  end

  test "what the two channels began to share with the connection is shared still" do
    merging(-> { @cart = connection.cart; 1 }, -> { @cart = connection.cart; connection.count = 2 })

    assert_equal [ true ] * 2, [ look(0) { @cart.equal?(connection.cart) }, look(1) { @cart.equal?(connection.cart) } ]
  end

  test "to read a record, or to load what belongs to it, is no change" do
    log = merging(-> { connection.owner.name }, -> { connection.owner.visits; connection.owner.pets.map(&:name) })

    assert_equal [ "owner", 1, [ "rex" ] ], look { [ connection.owner.name, connection.owner.visits, connection.owner.pets.map(&:name) ] }
    assert_empty log
  end

  test "unsaved changes of a record, its own variables and what is built for it are changes" do
    [ -> { connection.owner.visits = 2 }, -> { connection.owner.seen_by = "bob" }, -> { connection.owner.pets.build(name: "tom"); 1 } ].each_with_index do |change, n|
      log = merging(change, -> { connection.owner.name = "else" })

      assert_includes log, "MergingConnection loses a change of @owner", "change #{n}"
    end
  end

  test "three events at a time come out as all three left it" do
    states = [ -> { connection.count = 1 }, -> { connection.cart["items"] << 2 }, -> { connection.list << "b" } ]
      .each_with_index.map { |change, n| event(n, &change)["connection_state"] }
    second = merge(@before, states[0], states[1])
    @client.state = merge(@before, second["connection_state"], states[2])["connection_state"]

    assert_equal [ 1, [ 1, 2 ], %w[ a b ] ], look { [ connection.count, connection.cart["items"], connection.list ] }
  end

  test "a state that can't be read is lost, and the log says so" do
    other = Bridge.new.client(connection: "connection-2")
    [ [ other.state, @before, @before ], [ @before, "!", @before ], [ @before, @before, @client.states.values.first ] ].each do |states|
      answer = nil
      log = Log.of { answer = merge(*states) }

      assert_equal [ 200, { "contract" => 1, "lost" => true } ], [ answer.status, answer.body ]
      assert_match(/\[Cablestay\] can't merge two states of a connection: .*; the client is told to reconnect/, log)
    end
  end

  test "objects that can't travel are like themselves only" do
    proc, list = -> { }, [ 1 ]
    saved = Cablestay::State::Merge.new({ ivars: { "@a": proc, "@b": list }, tags: [] }, { ivars: { "@a": proc, "@b": list }, tags: [] },
      { ivars: { "@a": -> { }, "@b": list }, tags: [] }, owner: "X").saved

    assert_equal [ false, list ], [ saved[:ivars][:@a].equal?(proc), saved[:ivars][:@b] ]
  end

  private
    # Two events that began with the same state of the connection; their log.
    def merging(first, second)
      states = [ first, second ].each_with_index.map { |change, n| event(n, &change)["connection_state"] || @before }
      Log.of { @client.state = merge(@before, *states).body.fetch("connection_state") }.lines.grep(/loses/).join
    end

    def event(n, &change)
      @client.state = @before
      look(n, &change)
      @answer
    end

    def look(n = 2, &block)
      MergingChannel.step = block
      @answer = @client.perform("MergingChannel", "step", { n: n })
      @answer.messages.fetch(0) { flunk(@answer.inspect) }["seen"]
    end

    def merge(before, kept, changed)
      Bridge.new.ask("merge", connection: "connection-1", handshake: Bridge.handshake, before: before, kept: kept, changed: changed)
    end
end
