# frozen_string_literal: true

require_relative "support/linked_bridge"

ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define { create_table(:memos) { |table| table.string :title } }

class Memo < ActiveRecord::Base
  attr_accessor :about
end

class WanderingConnection < ActionCable::Connection::Base
  def connect
    @held = { list: [ +"first" ], memo: Memo.new(title: "m") }
  end
end

class WanderingChannel < ActionCable::Channel::Base
  class << self
    attr_accessor :steps
  end

  def subscribed
    @begun = [ params[:n], (connection.instance_variable_get(:@held)[:list] unless params[:alone]) ]
  end

  def step(data)
    wanderer = Wanderer.new(self)
    before = wanderer.view
    wanderer.public_send(*WanderingChannel.steps.fetch(data["step"]))
    transmit({ before: before, seen: wanderer.view })
  rescue FrozenError, ArgumentError => error
    transmit({ before: before, seen: wanderer.view, error: error.class.name })
  end
end

# Does things to what a channel and its connection hold, and tells all that could be told of it: values, which
# objects are one, what is frozen. Numbers that are given to it choose; in the same state they choose the same.
class Wanderer
  Pair = Struct.new(:one, :two)
  class Thing
    attr_accessor :one, :two
  end
  class Whim < StandardError
    attr_accessor :one, :two
  end
  KINDS = [ ->(n) { "s#{n}".dup }, ->(n) { [ n ] }, ->(n) { { a: n } }, ->(n) { Pair.new(n) }, ->(n) { Set[n] }, ->(_) { Thing.new },
    ->(n) { { "k" => n }.with_indifferent_access }, ->(n) { Memo.new(title: "t#{n}") }, ->(_) { Memo.find_by!(title: "saved") },
    ->(n) { OpenStruct.new(a: n) }, ->(n) { [ :frozen, n ].freeze }, ->(n) { Time.find_zone("Tokyo").at(n) }, ->(n) { n.days }, ->(n) { "f#{n}".freeze },
    ->(_) { nil }, ->(n) { SimpleDelegator.new([ n ]) }, ->(n) { Whim.new("w#{n}") } ].freeze
  GLANCED = KINDS.values_at(0, 1, 2, 6, 7, 8, 10, 11, 12, 13, 14).freeze

  def initialize(channel)
    @channel, @connection = channel, channel.connection
  end

  # Puts something new into a variable of the channel.
  def make(name, kind, n)
    @channel.instance_variable_set("@v#{name % 4}", KINDS[kind % KINDS.size].call(n))
  end

  # The same of what a glance can tell of.
  def make_glanced(name, kind, n)
    @channel.instance_variable_set("@v#{name % 4}", GLANCED[kind % GLANCED.size].call(n))
  end

  # Puts one object of a variable into another: what the connection holds too is looked at closely.
  def nest_own(into, which, n)
    before, @connection = @connection, Object.new
    nest(into, which, n)
  ensure
    @connection = before
  end

  # Has the channel hold an object that it or the connection holds anywhere.
  def take(name, which, _)
    @channel.instance_variable_set("@v#{name % 4}", pick(which))
  end

  # Has the connection hold one more. What it holds it holds for ever: see README, "Not yet carried".
  def give(name, which, _)
    variable = "@w#{name}"
    @connection.instance_variable_set(variable, pick(which)) unless @connection.instance_variable_defined?(variable)
  end

  def forget(name, _, _)
    variable = "@v#{name % 4}"
    @channel.remove_instance_variable(variable) if @channel.instance_variable_defined?(variable)
  end

  # Puts one object into another; circles are welcome.
  def nest(into, which, n)
    inner = pick(which)
    case outer = pick(into)
    when String then outer << n.to_s
    when Array then outer << inner
    when ActiveSupport::HashWithIndifferentAccess then outer["k#{outer.size}"] = n
    when Hash then outer[:"k#{outer.size}"] = inner
    when Pair, Thing, Whim then outer.one ? outer.two ||= inner : outer.one = inner
    when Set then outer << n
    when Memo then n.even? ? outer.title = "u#{n}" : outer.about ||= inner
    when OpenStruct then outer["k#{outer.to_h.size}"] = inner
    end
  end

  def freeze(which, _, _)
    object = pick(which)
    object.freeze unless object.is_a?(Memo)
  end

  def copy(name, which, _)
    @channel.instance_variable_set("@v#{name % 4}", pick(which).dup)
  end

  def nothing(*)
  end

  # In this order they are also picked from.
  def view
    @seen = {}.compare_by_identity
    { channel: variables(@channel, /\A@(begun|v\d)\z/), connection: variables(@connection, /\A@(held|w\d+)\z/) }.inspect
  end

  private
    def pick(which)
      view
      @seen.empty? ? nil : @seen.keys[which % @seen.size]
    end

    def variables(object, names)
      object.instance_variables.grep(names).sort.to_h { |name| [ name, tell(object.instance_variable_get(name)) ] }
    end

    def tell(object)
      case object
      when nil, true, Symbol, Integer then return object
      when ActiveSupport::TimeWithZone, ActiveSupport::Duration then return [ object.class, object.inspect ]
      when String then return "#{object} (frozen)" if object.frozen?
      end
      return "<#{@seen[object]}>" if @seen.key?(object)

      @seen[object] = @seen.size
      [ @seen[object], Cablestay::State::Graph::CLASS.bind_call(object), object.frozen?, inside(object) ]
    end

    def inside(object)
      case object
      when SimpleDelegator then tell(object.__getobj__)
      when String then object.dup
      when Array then object.map { |element| tell(element) }
      when Hash then object.map { |key, value| [ key, tell(value) ] }
      when Pair, Thing, Whim then [ tell(object.one), tell(object.two) ]
      when Set then object.to_a
      when Memo then [ object.id, object.title, object.changes, object.new_record?, tell(object.about) ]
      when OpenStruct then object.each_pair.map { |name, value| [ name, tell(value) ] }
      end
    end
end

# The gem's channels, which are rebuilt in each event, against those of a stock connection, which live on.
class AsIfItLivedOnTest < ActiveSupport::TestCase
  # Stands for the WebSocket of a stock connection.
  class Wire
    attr_reader :frames

    def initialize
      @frames = []
    end

    def transmit(frame)
      @frames << JSON.parse(frame)
    end

    def alive?
      true
    end
  end

  class Stock
    def initialize
      @wire = Wire.new
      @cable = Cablestay::RailsVersions.cable.open(ActionCable.server, Rack::MockRequest.env_for("/cable"), @wire)
      @cable.connection.connect
    end

    def command(command, identifier, **members)
      @wire.frames.clear
      @cable.execute({ "command" => command, "identifier" => identifier, **members.stringify_keys })
      @wire.frames.filter_map { |frame| frame["message"] }
    end
  end

  DOINGS = %i[ make make take take give nest nest nest freeze copy forget nothing ].freeze
  GLANCED = %i[ make_glanced make_glanced nest_own nest_own nest_own freeze copy forget nothing nothing nothing nothing take ].freeze
  SECONDS, EVENTS, CHANNELS = ENV.fetch("WANDERING_SECONDS", 4).to_i, 40, 3

  setup do
    Memo.find_or_create_by!(title: "saved")
    @connection_class = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { WanderingConnection }
  end

  teardown { ActionCable.server.config.connection_class = @connection_class }

  test "whatever events do, in whatever order, the next ones see what they would in stock" do
    wander_on { Bridge.new }
  end

  test "also where some of them find at hand what the last one left" do
    bridge = nil
    wander_on do
      bridge&.close
      bridge = LinkedBridge.new
    end
  ensure
    bridge&.close
  end

  test "also where a glance tells that nothing has changed" do
    bridge, glances = nil, []
    watch = TracePoint.new(:return) { |point| glances << point.return_value if point.self.is_a?(Cablestay::State::Glance) && point.method_id == :same? }
    watch.enable # on all threads
    wander_on(GLANCED, alone: true) do
      bridge&.close
      bridge = LinkedBridge.new
    end
    assert_includes glances, true
    assert_includes glances, false
  ensure
    watch.disable
    bridge&.close
  end

  private
    # The block is asked for the bridge of each round.
    def wander_on(doings = DOINGS, **params)
      ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + SECONDS
      seed = ENV.fetch("WANDERING_SEED") { Random.new_seed % 2**32 }.to_i
      wander(seed, yield, doings, params)
      wander(seed += 1, yield, doings, params) while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends && !ENV.key?("WANDERING_SEED")
    end

    def wander(seed, bridge, doings, params)
      random = Random.new(seed)
      steps = WanderingChannel.steps = []
      stock, client = Stock.new, bridge.client
      identifiers = Array.new(CHANNELS) { |n| client.identifier("WanderingChannel", n: n, **params) }
      identifiers.each { |identifier| both(stock, client, "subscribe", identifier) }
      EVENTS.times do
        identifier = identifiers.sample(random: random)
        Cablestay::AtHand.current.forget("connection-1") if random.rand(3).zero?
        if random.rand(15).zero?
          %w[ unsubscribe subscribe ].each { |command| both(stock, client, command, identifier) }
        else
          steps << [ doings.sample(random: random), *Array.new(3) { random.rand(1000) } ]
          seen = both(stock, client, "message", identifier, data: JSON.generate({ action: "step", step: steps.size - 1 }))
          assert_equal(*seen, "WANDERING_SEED=#{seed}, after #{steps.size} steps: #{steps.last(6)}")
          assert_equal 1, seen.first.size
        end
      end
    end

    def both(stock, client, command, identifier, **members)
      event = command == "message" ? "perform" : command
      [ stock.command(command, identifier, **members), client.command(event, identifier, **members).messages ]
    end
end
