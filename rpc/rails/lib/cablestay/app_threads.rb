# frozen_string_literal: true

require "rbconfig"

module Cablestay
  # Which threads are the app's own, and not of a library that starts one when it is first used: a pool, a
  # Redis listener, a profiler.
  module AppThreads
    class << self
      # The block of a thread is its outermost frame.
      def own?(thread)
        Thread.pass while thread.alive? && thread.backtrace_locations == [] # it has not begun
        outermost = thread.backtrace_locations&.last or return false
        path = outermost.absolute_path || outermost.path
        !path.start_with?("<internal:") && libraries.none? { |library| path.start_with?(library) }
      end

      private
        def libraries
          @libraries ||= [ *Gem.path, *RbConfig::CONFIG.values_at("rubylibprefix", "vendordir", "sitedir"),
            File.expand_path("..", __dir__) ].compact.map { |folder| "#{folder}/" }
        end
    end
  end
end
