# frozen_string_literal: true

require "concurrent/map"

module Cablestay
  # The events that run. In stock nothing waits for the end of an action: what one does that takes longer than a glance
  # is sent while it runs. What a short one does goes along with its answer, which is cheaper.
  module UnderWay
    GLANCE = 0.005 # seconds
    REST = 20 # glances without an event, after which nobody looks until there is one

    @events = Concurrent::Map.new # => when each began
    @mutex = Mutex.new
    @begun = ConditionVariable.new

    class << self
      def during(effects)
        watch unless @pid == ::Process.pid
        @events[effects] = now
        wake if @resting
        yield
      ensure
        @events.delete(effects)
      end

      private
        # A fork has no threads, and none of the events.
        def watch
          @mutex.synchronize do
            next if @pid == ::Process.pid

            @events.clear
            @pid, @resting = ::Process.pid, false
            Thread.new { look }.name = "cablestay events under way"
          end
        end

        def wake
          @mutex.synchronize { @begun.signal }
        end

        def look
          idle = 0
          loop do
            sleep GLANCE
            idle = send_what_waits ? 0 : idle + 1
            idle = rest if idle > REST
          end
        end

        # True where an event is under way.
        def send_what_waits
          long = now - GLANCE
          all = @events.keys
          all.each { |effects| send_at_once(effects) if (@events[effects] || now) <= long }
          all.any?
        end

        def send_at_once(effects)
          effects.send_at_once
        rescue StandardError => error # of a link; the answer will have it
          Cablestay.log_exception("what an event has done could not be sent before its end", error)
        end

        def rest
          @mutex.synchronize do
            @resting = true
            @begun.wait(@mutex) if @events.empty?
            @resting = false
          end
          0
        end

        def now
          ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
        end
    end
  end
end
