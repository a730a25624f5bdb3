# frozen_string_literal: true

module Cablestay
  # How many events this app can run at a time.
  module Concurrency
    THREADS = 5 # Puma's default, and Rails' for RAILS_MAX_THREADS

    class << self
      # Puma's workers × threads, as it really runs; else as the usual variables say.
      def of(env)
        threads = options(env) ? options(env)[:max_threads] : ENV["RAILS_MAX_THREADS"]
        workers(env) * count(threads, THREADS)
      end

      # In how many processes they run.
      def workers(env)
        count(options(env) ? options(env)[:workers] : ENV["WEB_CONCURRENCY"], 1)
      end

      private
        def options(env)
          puma = env["puma.config"]
          puma.options if puma.respond_to?(:options)
        end

        def count(value, default)
          number = value.to_s.to_i
          number.positive? ? number : default
        end
    end
  end
end
