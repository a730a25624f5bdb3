# frozen_string_literal: true

module Cablestay
  # One event while it runs, and what the app's connection and channels do in it.
  class Event
    CURRENT = :cablestay_event

    # The event that this thread runs, also seen from the fibers in it.
    def self.current
      Thread.current.thread_variable_get(CURRENT)
    end

    # +group+ has the threads that the event has started, too: threads inherit it.
    attr_reader :surroundings, :effects, :streams, :group

    # The channel whose subscribed raised, if one did.
    attr_reader :broken_channel

    # +identifier+ is the subscription that the event is for, if it is for one. The block sends effects before the event
    # has ended, and is false where it can't.
    def initialize(surroundings, identifier: nil, &sender)
      @surroundings = surroundings
      @effects = Effects.new(identifier, surroundings.outside, sender)
      @streams = Streams.new(@effects, surroundings)
      @group = ThreadGroup.new
      @deferred = []
    end

    # As one job of Action Cable's worker pool: on a thread for events, in an execution of the app's own.
    def run
      Cablestay.event_threads.run do
        Cablestay.execution do
          begin_here
          surroundings.running(self) { yield }
        ensure
          end_here
        end
      end
    end

    # Within run: the callbacks that Action Cable puts around each job, then what the app posted to the pool.
    def work(connection)
      UnderWay.during(@effects) do
        RailsVersions.worker.work(connection) do
          yield
          @deferred.shift.call until @deferred.empty?
        end
      end
    end

    def defer(_connection, &job)
      @deferred << job
    end

    # Logs what the block raises as Action Cable's worker does, and tells the receiver of the job. True where it
    # raised.
    def logging_exceptions(logger, receiver)
      Event.logging_exceptions(logger, receiver) { yield }
    end

    def self.logging_exceptions(logger, receiver)
      yield
      false
    rescue Exception => error # as the worker: an event of the app never ends its thread
      logger.error("There was an exception - #{error.class}(#{error.message})")
      logger.error(Array(error.backtrace).join("\n"))
      tell(receiver)
      true
    end

    def self.tell(receiver)
      receiver.handle_exception if receiver.respond_to?(:handle_exception)
    rescue Exception => error # in stock it ends in the thread pool
      Cablestay.log_exception("#{receiver.class}#handle_exception failed", error)
    end
    private_class_method :tell

    def subscribe_raised(channel)
      @broken_channel = channel
    end

    def finish
      @effects.finish
    end

    # Threads of the app's own that this event has started and that have not ended.
    def left_running
      @group.list.select { |thread| !thread.equal?(Thread.current) && AppThreads.own?(thread) }
    end

    private
      def begin_here
        Thread.current.thread_variable_set(CURRENT, self)
        @before = Thread.current.group
        @group.add(Thread.current)
        Broadcasts.watch(surroundings.server)
      end

      def end_here
        Thread.current.thread_variable_set(CURRENT, nil)
        @before&.add(Thread.current)
      end
  end
end
