# frozen_string_literal: true

module Cablestay
  # What a channel keeps of a timer that it has started with +periodically+. The bridge has the clock.
  class Timer
    # Its place among the channel's timers.
    attr_reader :number

    def initialize(surroundings, identifier, number)
      @surroundings, @identifier, @number = surroundings, identifier, number
    end

    def shutdown
      @surroundings.event.effects.record("stop_timer", identifier: @identifier, timer: number)
      true
    end
  end
end
