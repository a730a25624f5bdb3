# frozen_string_literal: true

module Cablestay
  # Threads that run nothing but events, as Action Cable's worker pool does, so that what a web request or
  # a middleware left in its thread (a locale, a tenant) is not seen by channels. As many as run at once. With another
  # +mark+, threads for something else that is to be kept apart.
  class EventThreads
    MARK = :cablestay_event_thread

    def initialize(mark = MARK, name: "cablestay event")
      @mark, @name = mark, name
      @mutex = Mutex.new
      @idle = []
      @pid = Process.pid
    end

    # Waits for the block's value, or raises what it raised. On one of these threads it is simply called.
    def run(&work)
      return yield if Thread.current.thread_variable_get(@mark)

      result = Queue.new
      idle_thread.push([ work, result ])
      value, error = result.pop
      error ? raise(error) : value
    end

    # Does this thread run events?
    def self.here?
      Thread.current.thread_variable_get(MARK) ? true : false
    end

    # Around work on a thread of another pool that runs nothing but events, too.
    def self.here
      Thread.current.thread_variable_set(MARK, true)
      yield
    ensure
      Thread.current.thread_variable_set(MARK, nil)
    end

    private
      def idle_thread
        @mutex.synchronize do
          @idle, @pid = [], Process.pid unless @pid == Process.pid # a fork has no threads
          @idle.pop
        end || start
      end

      def start
        jobs = Queue.new
        thread = Thread.new do
          Thread.current.thread_variable_set(@mark, true)
          loop { serve(*jobs.pop) { @mutex.synchronize { @idle.push(jobs) } } }
        end
        thread.name = @name
        jobs
      end

      # The block makes the thread idle again; one that the app has killed is not.
      def serve(work, result)
        outcome = [ nil, Error.new("the app has killed the thread of its event") ]
        outcome = outcome_of(work)
        yield
      ensure
        result.push(outcome)
      end

      def outcome_of(work)
        [ work.call, nil ]
      rescue Exception => error # not lost in this thread: raised where the event is waited for
        [ nil, error ]
      end
  end
end
