# frozen_string_literal: true

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table(:rooms) { |table| table.string :name; table.datetime :opened_at; table.decimal :price, precision: 10, scale: 2 }
  create_table(:messages) { |table| table.references :room; table.string :body }
end

class Room < ActiveRecord::Base
  has_many :messages
  attr_accessor :seen_by
  attribute :mood, :string
  normalizes :mood, with: ->(mood) { mood.strip } if respond_to?(:normalizes) # a type that can't be marshalled
end

class Message < ActiveRecord::Base
  belongs_to :room
end

# An object of the app's own that points to Action Cable's.
class Presenter
  attr_reader :channel, :connection, :log, :server

  def initialize(channel)
    @channel, @connection = channel, channel.connection
    @log, @server = channel.logger, ActionCable.server
  end
end

# Keeps what a test puts there, and shows it to a test later.
class KeepingChannel < ApplicationCable::Channel
  Point = Struct.new(:x, :y)
  class << self
    attr_accessor :keep, :look
  end

  def keep
    instance_exec(&self.class.keep)
  end

  def look
    instance_exec(&self.class.look)
  end

  def unsubscribed
    instance_exec(&self.class.look) if self.class.look
  end
end

class StateTest < ActiveSupport::TestCase
  setup do
    @client = Bridge.new.client
    @client.subscribe("KeepingChannel")
  end

  teardown { KeepingChannel.keep = KeepingChannel.look = nil }

  # Runs +keep+ as one action, hands the state through the bridge, and runs +look+ as the next one.
  def keeping(keep, &look)
    KeepingChannel.keep, KeepingChannel.look = keep, look
    failures = nil
    log = Log.of { failures = [ @client.perform("KeepingChannel", "keep"), @client.perform("KeepingChannel", "look") ] }
    assert_no_match(/Could not (execute command|handle incoming message)/, log)
    failures
  end

  def queries
    seen = []
    subscriber = ActiveSupport::Notifications.subscribe("sql.active_record") { |*, payload| seen << payload[:sql] }
    yield
    seen
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber)
  end

  test "values of every kind that apps keep survive" do
    zone = Time.find_zone("Tokyo")
    values = { string: "é", symbol: :a, big: 2**80, float: 1.5, decimal: BigDecimal("1.10"), nothing: nil, set: Set[1, :b],
      struct: KeepingChannel::Point.new(1, [ 2 ]), time: zone.local(2026, 1, 2, 3, 4, 5.678), date: Date.new(2026, 1, 2),
      duration: 3.days, range: 1..3, indifferent: { a: { b: 1 } }.with_indifferent_access, safe: "<b>".html_safe, regexp: /a+/i,
      klass: Room, binary: "\xff\x00".b, rational: 1/3r }
    seen = nil
    keeping(-> { @values = values }) { seen = @values }

    assert_equal values, seen
    assert_equal [ ActiveSupport::TimeWithZone, "Tokyo", true ], [ seen[:time].class, seen[:time].time_zone.name, seen[:safe].html_safe? ]
    assert_equal 1, seen[:indifferent]["a"]["b"]
  end

  test "persisted records survive without a query, their loaded associations and unsaved changes too" do
    room = Room.create!(name: "blue", opened_at: Time.utc(2026, 1, 2), price: "9.90")
    room.messages.create!(body: "hi")
    seen = nil
    KeepingChannel.keep = -> { @room = Room.includes(:messages).find(room.id).tap { |found| found.name = "green" } }
    KeepingChannel.look = -> { seen = [ @room, @room.changes, @room.messages.map(&:body), @room.persisted? ] }
    @client.perform("KeepingChannel", "keep")

    assert_equal [], queries { @client.perform("KeepingChannel", "look") }
    assert_equal [ room, { "name" => [ "blue", "green" ] }, [ "hi" ], true ], seen
    assert_equal BigDecimal("9.9"), seen.first.price
  end

  test "what the app keeps in a record survives, and what it changed in it can be saved by a later event" do
    room = Room.create!(name: "grey")
    seen = nil
    keeping(-> { @room = Room.find(room.id); @room.name = "pink"; @room.seen_by = "ann" }) { seen = @room.seen_by; @room.save! }

    assert_equal [ "ann", "pink" ], [ seen, room.reload.name ]
  end

  test "a record still tells what was saved last" do
    room = Room.create!(name: "grey")
    seen = nil
    keeping(-> { @room = Room.find(room.id).tap { |found| found.update!(name: "pink") } }) { seen = [ @room.saved_changes["name"], @room.changed? ] }

    assert_equal [ [ "grey", "pink" ], false ], seen
  end

  test "outside of an event, records are marshalled as Rails does" do
    room = Room.create!(name: "outside")
    KeepingChannel.keep = -> { @room = room }
    @client.perform("KeepingChannel", "keep")
    room.seen_by = "ann"
    copy = Marshal.load(Marshal.dump(room))
    whole = !defined?(ActiveRecord::Marshalling) || ActiveRecord::Marshalling.format_version < 7.1

    assert_equal [ room, "outside", whole ? "ann" : nil ], [ copy, copy.name, copy.seen_by ]
  end

  test "new and destroyed records survive as what they are" do
    seen = nil
    keeping(-> { @new = Room.new(name: "new"); @gone = Room.create!.destroy }) { seen = [ @new.new_record?, @new.name, @gone.destroyed?, @gone.frozen? ] }

    assert_equal [ true, "new", true, true ], seen
  end

  test "relations survive, loaded or not" do
    room = Room.create!(name: "related")
    room.messages.create!(body: "one")
    seen = nil
    keeping(-> { @rooms = Room.where(name: "related"); @messages = room.messages.order(:id).load }) do
      seen = [ @rooms.loaded?, @rooms.limit(1).to_a, @messages.loaded?, @messages.map(&:body) ]
    end

    assert_equal [ nil, [ room ], true, [ "one" ] ], seen
  end

  test "references that are shared or go in circles stay so" do
    seen = nil
    keeping(-> { @one = @two = [ "shared" ]; @circle = []; @circle << @circle << @one }) do
      @one << "more"
      seen = [ @one.equal?(@two), @circle.first.equal?(@circle), @circle.last.equal?(@one) ]
    end

    assert_equal [ true, true, true ], seen
  end

  test "frozen objects stay frozen, others do not become so" do
    seen = nil
    keeping(-> { @frozen = { a: 1 }.freeze; @open = {} }) { seen = [ @frozen.frozen?, @open.frozen? ] }

    assert_equal [ true, false ], seen
  end

  test "frozen objects inside others stay frozen, others do not become so" do
    seen = nil
    frozen = [ -> { [ [ 1 ].freeze, { a: "b".dup.freeze }, KeepingChannel::Point.new([].freeze, +"y").freeze, Set[1].freeze ] },
      -> { Room.new(name: "r").tap { |room| room.seen_by = { a: 1 }.freeze } }, -> { Room.create!.destroy } ]
    keeping(-> { @list, @room, @gone = frozen.map(&:call); @twice = [ @gone ] }) do
      seen = [ @list.frozen?, @list[0].frozen?, @list[1].frozen?, @list[1][:a].frozen?, @list[2].frozen?, @list[2].x.frozen?, @list[2].y.frozen?,
        @list[3].frozen?, @room.frozen?, @room.name.frozen?, @room.seen_by.frozen?, @twice[0].frozen?, @twice[0].equal?(@gone) ]
    end

    assert_equal [ false, true, false, true, true, true, false, true, false, false, true, true, true ], seen
  end

  test "of a very large graph all values survive, and what is near the top stays frozen" do
    size = Cablestay::State::Graph::LIMIT * 2
    seen = nil
    keeping(-> { @near, @large = [ [ 1 ].freeze ], Array.new(size) { |n| [ n ].freeze } }) { seen = [ @near[0].frozen?, @large.size, @large.last, @large[0].frozen? ] }

    assert_equal [ true, size, [ size - 1 ], true ], seen
  end

  test "objects of the app's may point to the channel, the connection, the logger and the server" do
    seen = nil
    keeping(-> { @presenter = Presenter.new(self); @log = Rails.logger }) do
      seen = [ @presenter.channel.equal?(self), @presenter.connection.equal?(connection), @presenter.log.equal?(logger),
        @presenter.server.equal?(ActionCable.server), @log.equal?(Rails.logger) ]
    end

    assert_equal [ true ] * 5, seen
  end

  test "variables may hold what a connection has of Action Cable's" do
    seen = nil
    keeping(-> { @all = [ @subscriptions = connection.subscriptions, @pubsub = pubsub ].size }) do
      seen = [ @subscriptions.equal?(connection.subscriptions), @pubsub.equal?(pubsub), @all ]
    end

    assert_equal [ true, true, 2 ], seen
  end

  test "what can't travel is named in the log and left out, the rest survives" do
    KeepingChannel.keep = -> { @kept = [ 1 ]; @same = @kept; @lost = -> { }; @io = $stdout; @lock = Mutex.new }
    seen = nil
    KeepingChannel.look = -> { seen = [ @kept, @kept.equal?(@same), defined?(@lost), defined?(@io), defined?(@lock) ] }
    log = Log.of { @client.perform("KeepingChannel", "keep") }
    @client.perform("KeepingChannel", "look")

    assert_equal [ [ 1 ], true, nil, nil, nil ], seen
    assert_includes log, "[Cablestay] KeepingChannel loses @lost (Proc) at the end of this event: not yet carried by cablestay"
    assert_includes log, "KeepingChannel loses @io (IO)"
    assert_match(/KeepingChannel loses @lock \((Thread::)?Mutex\)/, log)
  end

  test "who asks is told what can't travel, and the log is not" do
    told = []
    log = Log.of do
      saved = { ivars: { "@kept": 1, "@lost": -> { }, "@lock": Mutex.new } }
      bytes = Cablestay::State::References.among({}) do
        Cablestay::State.dump(saved, "KeepingChannel") { |name, value, error| told << [ name, value.class, error.class ] }
      end
      assert_equal [ :@kept ], Cablestay::State::References.among({}) { Cablestay::State.load(bytes)[:ivars].keys }
    end

    assert_equal [ [ :@lost, Proc, TypeError ], [ :@lock, Mutex, TypeError ] ], told
    assert_empty log
  end

  test "what is nested too deeply for Ruby to marshal is named and left out, not the end of the event" do
    KeepingChannel.keep = -> { @kept = 1; @deep = []; 100_000.times { @deep = [ @deep ] }; transmit({ done: true }) }
    seen = nil
    KeepingChannel.look = -> { seen = [ @kept, defined?(@deep) ] }
    log = Log.of { assert_equal [ { "done" => true } ], @client.perform("KeepingChannel", "keep").messages }
    @client.perform("KeepingChannel", "look")

    assert_equal [ 1, nil ], seen
    assert_includes log, "KeepingChannel loses @deep (Array)"
  end

  test "parameters that the app has changed stay changed, and one that can't travel is not the end of the event" do
    seen = nil
    keeping(-> { params[:room] = "blue"; @room = params[:room] }) { seen = [ params["room"], params[:room].equal?(@room), params.class ] }
    assert_equal [ "blue", true, ActiveSupport::HashWithIndifferentAccess ], seen

    KeepingChannel.keep = -> { params[:how] = -> { }; transmit({ done: true }) }
    log = Log.of { assert_equal [ { "done" => true } ], @client.perform("KeepingChannel", "keep").messages }
    assert_includes log, "KeepingChannel loses @params"
  end

  test "a channel may show its parameters in its own way" do
    Object.const_set(:CountingChannel, Class.new(ApplicationCable::Channel) do
      def params
        super.merge(seen: super[:seen].to_i + 1)
      end

      def count
        transmit({ seen: params[:seen] })
      end
    end)
    @client.subscribe("CountingChannel")

    assert_equal [ [ { "seen" => 1 } ] ] * 2, Array.new(2) { @client.perform("CountingChannel", "count").messages }
  ensure
    Object.send(:remove_const, :CountingChannel)
  end

  test "state is sent only where it changed" do
    KeepingChannel.keep = -> { @count = 1 }
    KeepingChannel.look = -> { @count }
    changed = @client.perform("KeepingChannel", "keep")
    unchanged = @client.perform("KeepingChannel", "look")

    assert_equal [ true, false ], [ changed, unchanged ].map { |answer| answer.body.key?("state") }
    assert_equal [ false, false ], [ changed, unchanged ].map { |answer| answer.body.key?("connection_state") }
  end

  test "the connection's own variables, identifiers and log tags are seen by all of its events" do
    KeepingChannel.keep = -> { connection.instance_variable_set(:@visits, 3); connection.logger.add_tags("vip") }
    seen = nil
    KeepingChannel.look = -> { seen = [ connection.instance_variable_get(:@visits), user, connection.user, connection.connection_identifier, logger.tags ] }
    answer = @client.perform("KeepingChannel", "keep")
    @client.perform("KeepingChannel", "look")

    assert answer.body.key?("connection_state")
    assert_equal [ 3, "ann", "ann", "ann", %w[ Dummy ann vip ] ], seen
  end

  test "the channel is what it was: parameters, identifier, streams, statistics" do
    seen = nil
    keeping(-> { }) { seen = [ params, identifier, params.class, connection.statistics[:subscriptions], connection.statistics[:identifier], connection.statistics[:started_at].class ] }

    assert_equal [ { "channel" => "KeepingChannel" }, '{"channel":"KeepingChannel"}', ActiveSupport::HashWithIndifferentAccess,
      [ '{"channel":"KeepingChannel"}' ], "ann", Time ], seen
  end

  test "state reaches unsubscribed, and unsubscribed at a disconnect" do
    seen = []
    KeepingChannel.keep = -> { @kept = "kept" }
    KeepingChannel.look = -> { seen << @kept }
    @client.perform("KeepingChannel", "keep")
    @client.disconnect
    @client.unsubscribe("KeepingChannel")

    assert_equal %w[ kept kept ], seen
  end

  test "a long state is deflated" do
    KeepingChannel.keep = -> { @long = "long " * 10_000 }
    assert_operator @client.perform("KeepingChannel", "keep")["state"].bytesize, :<, 2_000
  end

  test "a state of another connection, of another subscription or tampered with is refused, and the client comes again" do
    other = Bridge.new.client(connection: "connection-2")
    other.subscribe("KeepingChannel")
    identifier = @client.identifier("KeepingChannel")
    tampered = @client.states[identifier].dup.tap { |token| token[20] = token[20] == "A" ? "B" : "A" }

    [ other.states[identifier], tampered, @client.state, "", "!", "QUJD" ].each do |state|
      assert_starts_afresh { @client.command("perform", identifier, state: state, data: '{"action":"look"}') }
    end
    @client.state = other.state
    assert_starts_afresh { @client.subscribe("KeepingChannel", again: true) }
  end

  test "a state of another subscription of the same connection is refused" do
    @client.subscribe("KeepingChannel", n: 2)
    swapped = @client.states[@client.identifier("KeepingChannel", n: 2)]

    assert_starts_afresh { @client.command("perform", @client.identifier("KeepingChannel"), state: swapped, data: "{}") }
  end

  test "a state whose class is gone is refused" do
    Object.const_set(:Fleeting, Struct.new(:a))
    KeepingChannel.keep = -> { @fleeting = Fleeting.new(1) }
    @client.perform("KeepingChannel", "keep")
    Object.send(:remove_const, :Fleeting)

    assert_starts_afresh { @client.perform("KeepingChannel", "look") }
  end

  test "a channel that is gone is refused" do
    Object.const_set(:FleetingChannel, Class.new(ApplicationCable::Channel))
    @client.subscribe("FleetingChannel")
    Object.send(:remove_const, :FleetingChannel)

    assert_starts_afresh { @client.perform("FleetingChannel", "look") }
  end

  test "CurrentAttributes do not leak from one event to the next" do
    Object.const_set(:Sojourn, Class.new(ActiveSupport::CurrentAttributes) { attribute :place })
    seen = :unseen
    keeping(-> { Sojourn.place = "here" }) { seen = Sojourn.place }

    assert_nil seen
  ensure
    Object.send(:remove_const, :Sojourn)
  end

  private
    def assert_starts_afresh
      answer = nil
      log = Log.of { answer = yield }

      assert_equal 200, answer.status
      assert_equal false, answer["subscribed"]
      assert_equal [ { "effect" => "transmit", "frame" => '{"type":"disconnect","reason":null,"reconnect":true}' }, { "effect" => "close" } ], answer.effects
      assert_match(/\[Cablestay\] can't restore .* the client is told to reconnect/, log)
      @client.states[@client.identifier("KeepingChannel")] ||= "gone"
    end
end
