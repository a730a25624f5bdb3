# frozen_string_literal: true

module Cablestay
  # Threads that run nothing but events, as Action Cable's worker pool does, so that what a web request or
  # a middleware left in its thread (a locale, a tenant) is not seen by channels. As many as run at once.
  class EventThreads
    def initialize
      @mutex = Mutex.new
      @idle = []
      @pid = Process.pid
    end

    # Waits for the block's value, or raises what it raised.
    def run(&work)
      result = Queue.new
      idle_thread.push([ work, result ])
      value, error = result.pop
      error ? raise(error) : value
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
          loop do
            work, result = jobs.pop
            outcome = outcome_of(work)
            @mutex.synchronize { @idle.push(jobs) }
            result.push(outcome)
          end
        end
        thread.name = "cablestay event"
        jobs
      end

      def outcome_of(work)
        [ work.call, nil ]
      rescue Exception => error # not lost in this thread: raised where the event is waited for
        [ nil, error ]
      end
  end
end
