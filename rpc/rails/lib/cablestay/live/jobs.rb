# frozen_string_literal: true

require "concurrent/executor/thread_pool_executor"

module Cablestay
  module Live
    # Runs what comes along links and out of streams: in each process at most as many jobs at a time as Action Cable's worker
    # pool would, so that a database pool that was right for stock is right here.
    class Jobs
      # Jobs of one line run in order, one at a time.
      class Line
        def initialize(jobs)
          @jobs, @waiting, @running = jobs, [], false
          @mutex = Mutex.new
        end

        def post(&job)
          @mutex.synchronize do
            @waiting << job
            return if @running

            @running = true
          end
          @jobs.post { run_next }
        end

        private
          # One at a time, so that a busy line does not keep a thread from the others.
          def run_next
            @mutex.synchronize { @waiting.shift }.call
          ensure
            more = @mutex.synchronize { @running = @waiting.any? }
            @jobs.post { run_next } if more
          end
      end

      def initialize
        @mutex = Mutex.new
      end

      def line
        Line.new(self)
      end

      # What the block raises is logged.
      def post(&job)
        starts = @mutex.synchronize do
          of_this_process
          @waiting << job
          next_job
        end
        start(starts) if starts
      end

      # At once on this thread, which runs nothing else; false where as many as may run do so already.
      def here(&job)
        room = @mutex.synchronize do
          of_this_process
          @under_way += 1 if @under_way < size
        end
        return false unless room

        begin
          EventThreads.here { logging(&job) }
        ensure
          ended
        end
        true
      end

      # How many run at a time.
      def size
        ActionCable.server.config.worker_pool_size
      end

      def idle?
        @mutex.synchronize { of_this_process && @under_way.zero? }
      end

      private
        def start(job)
          @pool.post do
            EventThreads.here { logging(&job) }
          ensure
            ended
          end
        end

        # The next one takes its place.
        def ended
          job = @mutex.synchronize do
            @under_way -= 1
            next_job
          end
          start(job) if job
        end

        # Under the mutex. One that waits, if it may run now.
        def next_job
          return if @under_way >= size || @waiting.empty?

          @under_way += 1
          @waiting.shift
        end

        # Under the mutex. A fork has no threads.
        def of_this_process
          return @pool if @pid == ::Process.pid

          @pid, @under_way, @waiting = ::Process.pid, 0, []
          @pool = Concurrent::ThreadPoolExecutor.new(name: "cablestay", min_threads: 1, max_threads: size, max_queue: 0)
        end

        def logging
          yield
        rescue Exception => error # nobody else will tell
          Cablestay.log_exception("what a link or a stream brought raised", error)
        end
    end
  end
end
