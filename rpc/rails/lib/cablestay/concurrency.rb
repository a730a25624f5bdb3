# frozen_string_literal: true

module Cablestay
  # How many events this app can run at a time.
  module Concurrency
    THREADS = 5 # Puma's default, and Rails' for RAILS_MAX_THREADS

    class << self
      # Puma's workers × threads, as it really runs; else as the usual variables say.
      def of(env)
        puma = env["puma.config"]
        return count(ENV["WEB_CONCURRENCY"], 1) * count(ENV["RAILS_MAX_THREADS"], THREADS) unless puma.respond_to?(:options)

        count(puma.options[:workers], 1) * count(puma.options[:max_threads], THREADS)
      end

      private
        def count(value, default)
          number = value.to_s.to_i
          number.positive? ? number : default
        end
    end
  end
end
