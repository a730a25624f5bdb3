# frozen_string_literal: true

require "delegate"

module Cablestay
  # Stands where a connection has ActionCable.server: streams, timers and jobs are recorded, the rest is the
  # real server's.
  class Server < SimpleDelegator
    undef_method :marshal_dump, :marshal_load
    include References::Named

    attr_reader :streams, :pubsub, :event_loop, :worker_pool
    alias_method :executor, :event_loop

    def initialize(cable_server, event)
      super(cable_server)
      @streams = event.streams
      @pubsub = PubSub.new(cable_server, event.streams)
      @event_loop = EventLoop.new(event.streams)
      @worker_pool = WorkerPool.new(event)
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
      # What Rails asks of a timer that it started.
      Timer = Struct.new(:interval) do
        def shutdown
          true
        end
      end

      def initialize(streams)
        @streams = streams
      end

      def post(task = nil, &block)
        (task || block).call
      end

      def timer(interval, &_tick)
        @streams.refuse_timer(interval)
        Timer.new(interval)
      end
    end

    # Jobs that the app posts for its connection run at the end of the event, in their order.
    class WorkerPool
      def initialize(event)
        @event = event
      end

      def async_exec(receiver, *arguments, connection:, &block)
        async_invoke(receiver, :instance_exec, *arguments, connection: connection, &block)
      end

      def async_invoke(receiver, method, *arguments, connection: receiver, &block)
        @event.defer do
          @event.logging_exceptions(connection.logger, receiver) { receiver.__send__(method, *arguments, &block) }
        end
      end

      def stopping?
        false
      end
    end
  end
end
