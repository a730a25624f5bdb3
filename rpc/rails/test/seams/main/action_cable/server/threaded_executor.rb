# frozen_string_literal: true

require "concurrent"

module ActionCable
  module Server
    # Runs what is posted, and keeps time. On main the event loop of the sockets no longer does that.
    class ThreadedExecutor
      def initialize(max_size:)
        @pool = Concurrent::ThreadPoolExecutor.new(min_threads: 1, max_threads: max_size, max_queue: 0)
      end

      def post(task = nil, &block)
        @pool.post(&(task || block))
      end

      def timer(interval, &tick)
        timer = Concurrent::TimerTask.new(execution_interval: interval, &tick)
        timer.execute
        timer
      end

      def shutdown
        @pool.shutdown
      end
    end

    class Configuration
      attr_accessor :executor_pool_size
    end
  end
end
