# frozen_string_literal: true

module Cablestay
  # One event while it runs: the facades that the app's connection and channels see, and what they did.
  class Event
    CURRENT = :cablestay_event

    # The event that this thread runs, also seen from the fibers in it.
    def self.current
      Thread.current.thread_variable_get(CURRENT)
    end

    attr_reader :server, :socket, :streams

    # +cable_server+ is ActionCable.server, or the one that runs without Rails' middleware.
    def initialize(cable_server, env: nil, protocol: nil)
      @effects = Effects.new
      @socket = Socket.new(@effects, env: env, protocol: protocol)
      @streams = Streams.new(@effects)
      @server = Server.new(cable_server, self)
      @deferred = []
    end

    # As one job of Action Cable's worker pool: on a thread for events, in an execution of the app's own.
    def run
      Cablestay.event_threads.run do
        Cablestay.execution do
          Thread.current.thread_variable_set(CURRENT, self)
          Broadcasts.watch(@server)
          yield
        ensure
          Thread.current.thread_variable_set(CURRENT, nil)
        end
      end
    end

    # Within run: the callbacks that Action Cable puts around each job, then what the app posted to the pool.
    def work(connection)
      RailsVersions.worker.work(connection) do
        yield
        @deferred.shift.call until @deferred.empty?
      end
    end

    def defer(&job)
      @deferred << job
    end

    # Logs what the block raises as Action Cable's worker does, and tells the receiver of the job. True where it
    # raised.
    def logging_exceptions(logger, receiver)
      yield
      false
    rescue Exception => error # as the worker: an event of the app never ends its thread
      logger.error("There was an exception - #{error.class}(#{error.message})")
      logger.error(Array(error.backtrace).join("\n"))
      tell(receiver)
      true
    end

    def effects
      @effects.finish
    end

    private
      def tell(receiver)
        receiver.handle_exception if receiver.respond_to?(:handle_exception)
      rescue Exception => error # in stock it ends in the thread pool
        Cablestay.log_exception("#{receiver.class}#handle_exception failed", error)
      end
  end
end
