# frozen_string_literal: true

require_relative "linked_bridge"

class BlockStreamChannel < ApplicationCable::Channel
  def subscribed
    @seen = 0
    stream_from("live-block") do |raw|
      @seen += 1
      transmit({ raw: raw, seen: @seen })
    end
    stream_from("live-plain")
  end

  def count
    transmit({ seen: @seen })
  end

  def unsubscribed
    self.class.left << [ params[:n], @seen ]
  end

  class << self
    def left
      @left ||= Queue.new
    end
  end
end

class PlainChannel < ApplicationCable::Channel
end

class ProcKeepingChannel < ApplicationCable::Channel
  def subscribed
    @adder = ->(n) { n + 1 }
    @lock = Mutex.new
  end

  def add(data)
    @lock.synchronize { transmit({ sum: @adder.call(data["n"]) }) }
  end

  def die
    Thread.current.kill
  end

  def leave_a_proc_behind
    connection.keep { :kept }
  end

  def ask_connection
    transmit({ connection: connection.kept })
  end
end

# A bridge with a link, a client of it, and what tests of living channels ask of them.
module Living
  extend ActiveSupport::Concern

  included do
    setup do
      @bridge = LinkedBridge.new
      @client = @bridge.client
      @connection = ApplicationCable::Connection
      BlockStreamChannel.left.clear
    end

    teardown do
      @bridge.close
      ActionCable.server.restart # and with it the listener of Rails 6.1, which ends the process when Redis goes
    end
  end

  def identifier(channel, **params)
    @client.identifier(channel, **params)
  end

  def subscribe_live(channel, **params)
    @identifier = identifier(channel, **params)
    @client.subscribe(channel, **params).tap { |answer| @live = answer["live"] }
  end

  def attach(answer)
    @bridge.send_line(attach: answer["live"]["hold"])
  end

  # Redis may be quick enough for the confirmation to be in the answer.
  def attach_confirmed(answer)
    attach(answer)
    assert_equal "confirm_subscription", receive_frame["type"] unless answer.kinds.include?("confirm")
  end

  def live_members
    { hold: @live["hold"], connection: "connection-1", connection_state: @client.state }
  end

  def live(event, **members)
    @bridge.ask_link(event, **live_members, identifier: @identifier, **members)
  end

  def perform_live(action, **data)
    live("perform", data: JSON.generate({ action: action, **data }))
  end

  def receive_frame
    @effects ||= []
    @effects.concat(@bridge.receive.fetch("effects")) if @effects.empty?
    effect = @effects.shift
    assert_equal @identifier, effect["identifier"] if effect["effect"] == "confirm"
    JSON.parse(effect.fetch("frame"))
  end

  def broadcast(broadcasting, message)
    await { subscribers(broadcasting) == 1 }
    ActionCable.server.broadcast(broadcasting, message)
  end

  def subscribers(broadcasting)
    redis = Redis.new(url: ENV["REDIS_URL"])
    redis.pubsub("numsub", "dummy_production:#{broadcasting}").last.to_i
  ensure
    redis&.close
  end

  def await
    Timeout.timeout(10) { sleep 0.01 until yield }
  end

  def outside(answer)
    Cablestay::Live::Holds.find(answer["live"]["hold"]).surroundings.outside
  end

  def keeping_procs(&connect)
    Class.new(@connection) do
      define_method(:connect) do
        super()
        instance_exec(&connect) if connect
      end

      def keep(&block)
        @kept = block
      end

      def kept
        @kept.call
      end
    end
  end

  def with_connection(type)
    before = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { type }
    @client = @bridge.client
    yield
  ensure
    ActionCable.server.config.connection_class = before
  end

  # A state as another event would have answered it.
  def changed_elsewhere
    surroundings = Cablestay::Surroundings.new(ActionCable.server)
    cable = Cablestay::RailsVersions.cable.revive(surroundings.server, Cablestay::MiddlewareEnv.new({}, nil), surroundings.socket)
    kept = Cablestay::Kept.new("connection-1", cable)
    kept.restore_connection(@client.state)
    yield cable.connection
    kept.connection_token
  end
end
