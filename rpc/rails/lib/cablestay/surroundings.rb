# frozen_string_literal: true

module Cablestay
  # What a connection sees of Rails, in our words: its server and its socket. They write down what the connection and
  # its channels do, for the event in which they do it. Usually there is one event; a connection that is held has many.
  class Surroundings
    attr_reader :server, :socket, :outside

    # From here to the bridge, as the latest event knows it.
    attr_accessor :road

    # What the only event of a connection that is not held ran on, a Live::Holdable, and its id.
    attr_accessor :origin, :event_id

    # It has been offered to the bridge to be held: whatever comes of that, it is not at hand any more.
    attr_accessor :offered

    # The hold that keeps the connection alive; nil while it is revived for each event.
    attr_accessor :hold

    # +cable_server+ is ActionCable.server, or the one that runs without Rails' middleware. +road+ is how what
    # happens outside of events is sent, see Live::Road.
    def initialize(cable_server, road: Live::NO_ROAD, env: nil, protocol: nil)
      @road = road
      @socket = Socket.new(self, env: env, protocol: protocol)
      @server = Server.new(cable_server, self)
      @outside = Outside.new(self)
      @running = []
      @known = {}.compare_by_identity # the handlers that Rails made of streams => what we know of each
      @living = {}
      @lock = Mutex.new
    end

    # Who writes down what is done now: the event that this thread runs, or that has started this thread. On another
    # thread it is the only event, as long as it runs (it may be waiting for a pool of the app's); else none.
    def event
      current = Event.current
      return current if current && current.surroundings.equal?(self)

      group = Thread.current.group
      @lock.synchronize { @running.find { |event| hold.nil? || event.group.equal?(group) } } || @outside
    end

    def running(event)
      @lock.synchronize { @running << event }
      yield
    ensure
      @lock.synchronize { @running.delete(event) }
    end

    # Can this process hold the connection, if it must?
    def holdable?
      !hold.nil? || @road.open?
    end

    # Only the living channel can do what it has just been told to do.
    def keep_alive(identifier, why)
      @lock.synchronize { @living[identifier] = Array(@living[identifier]) | [ why ] }
    end

    # Why a subscription (or, for nil, the connection) has to be held.
    def reasons(identifier)
      @lock.synchronize { Array(@living[identifier]).dup }
    end

    # Once for each channel, unless it raises.
    def leaving(channel)
      return if @lock.synchronize { left?(channel) }

      begin
        yield
      rescue Exception
        @lock.synchronize { @leaving[channel] = false }
        raise
      end
    end

    def know(handler, stream)
      @lock.synchronize { @known[handler] = stream }
    end

    def known(handler)
      @lock.synchronize { @known[handler] }
    end

    def forget(handler)
      @lock.synchronize { @known.delete(handler) }
    end

    # Leaves what the real adapter still has of this connection's.
    def end_streams
      kept = @lock.synchronize { @known.select { |_, stream| stream.by == :adapter }.each_key { |handler| @known.delete(handler) } }
      kept.each { |handler, stream| server.__getobj__.pubsub.unsubscribe(stream.broadcasting, handler) }
    end

    private
      # Under the lock. True from the second time on.
      def left?(channel)
        @leaving ||= ObjectSpace::WeakMap.new # by identity
        @leaving[channel].tap { @leaving[channel] = true }
      end
  end
end
