# frozen_string_literal: true

require "concurrent/atomic/atomic_fixnum"
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
        pool, under_way = of_this_process
        under_way.increment
        pool.post do
          EventThreads.here { logging(&job) }
        ensure
          under_way.decrement
        end
      end

      # The same on this thread, which runs nothing else.
      def here(&job)
        under_way = of_this_process.last
        under_way.increment
        EventThreads.here { logging(&job) }
      ensure
        under_way.decrement
      end

      # How many run at a time.
      def size
        ActionCable.server.config.worker_pool_size
      end

      # Would a job have a thread at once?
      def room?
        of_this_process.last.value < size
      end

      def idle?
        of_this_process.last.value.zero?
      end

      private
        # The pool, and how many jobs it has. A fork has no threads.
        def of_this_process
          @mutex.synchronize do
            @pool = nil unless @pid == ::Process.pid
            @pid = ::Process.pid
            @pool ||= [ Concurrent::ThreadPoolExecutor.new(name: "cablestay", min_threads: 1, max_threads: size, max_queue: 0),
              Concurrent::AtomicFixnum.new ]
          end
        end

        def logging
          yield
        rescue Exception => error # nobody else will tell
          Cablestay.log_exception("what a link or a stream brought raised", error)
        end
    end
  end
end
