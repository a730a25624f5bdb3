# frozen_string_literal: true

require "delegate"

module Cablestay
  # Stands where a connection has ActionCable.server: streams, timers and jobs are recorded, the rest is the
  # real server's.
  class Server < SimpleDelegator
    undef_method :marshal_dump, :marshal_load
    include State::References::Named

    attr_reader :surroundings, :pubsub, :event_loop, :worker_pool
    alias_method :executor, :event_loop

    def initialize(cable_server, surroundings)
      super(cable_server)
      @surroundings = surroundings
      @pubsub = PubSub.new(cable_server, surroundings)
      @event_loop = EventLoop.new(cable_server, surroundings)
      @worker_pool = WorkerPool.new(surroundings)
    end

    # Each event asks for these, and method_missing takes its time.
    def config
      __getobj__.config
    end

    def logger
      __getobj__.logger
    end

    # The registry of connections is the bridge's.
    def add_connection(_connection)
    end

    def remove_connection(_connection)
    end

    def is_a?(type)
      super || __getobj__.is_a?(type)
    end
    alias_method :kind_of?, :is_a?

    # What is posted runs at once: the event's answer holds all that it did.
    class EventLoop
      def initialize(cable_server, surroundings)
        @cable_server, @surroundings = cable_server, surroundings
      end

      # What a connection that is made with it has for its WebSocket.
      def socket
        @surroundings.socket
      end

      def post(task = nil, &block)
        (task || block).call
      end

      # A channel's periodic timers don't come here. This one is the app's own, with a block that lives.
      def timer(interval, &tick)
        @surroundings.keep_alive(nil, "a timer of its own")
        RailsVersions.timers(@cable_server).timer(interval, &tick)
      end
    end

    # Jobs that an event posts for its connection run at its end, in their order; others are events of their own.
    class WorkerPool
      def initialize(surroundings)
        @surroundings = surroundings
      end

      def async_exec(receiver, *arguments, connection:, &block)
        async_invoke(receiver, :instance_exec, *arguments, connection: connection, &block)
      end

      def async_invoke(receiver, method, *arguments, connection: receiver, &block)
        @surroundings.event.defer(connection) do
          Event.logging_exceptions(connection.logger, receiver) { receiver.__send__(method, *arguments, &block) }
        end
      end

      def stopping?
        false
      end
    end
  end
end
