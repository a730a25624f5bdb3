# frozen_string_literal: true

module ActionCable
  module Channel
    module PeriodicTimers
      private
        def start_periodic_timer(callback, every:)
          tick = -> { instance_exec(&callback) }
          connection.executor.timer(every) { connection.perform_work(tick, :call) }
        end
    end
  end
end
