# frozen_string_literal: true

require "concurrent/map"

module Cablestay
  # The events that run. In stock nothing waits for the end of an action: what one has done that goes on for longer is sent
  # while it runs. All else goes along with its answer, which is cheaper, and behind the state that it leaves to others.
  module UnderWay
    LONGER = 0.02 # seconds
    REST = 5 # looks at no event, after which nobody looks until there is one

    @events = Concurrent::Map.new # the effects of each
    @mutex = Mutex.new
    @begun = ConditionVariable.new

    class << self
      def during(effects)
        watch unless @pid == ::Process.pid
        @events[effects] = true
        wake if @resting
        yield
      ensure
        @events.delete(effects)
      end

      def now
        ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
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
            sleep LONGER
            idle = send_what_waits ? 0 : idle + 1
            idle = rest if idle > REST
          end
        end

        # True where an event is under way.
        def send_what_waits
          since = now - LONGER
          @events.keys.each { |effects| send_since(effects, since) }.any?
        end

        def send_since(effects, time)
          effects.send_since(time)
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
    end
  end
end
