# frozen_string_literal: true

# Raises at every second tick; the rescue_from is for actions and sees nothing of it.
class Timers::RaisingChannel < ApplicationCable::Channel
  rescue_from(StandardError) { |error| transmit({ rescued: error.message }) }

  periodically :tick, every: 0.2

  private
    def tick
      @ticks = @ticks.to_i + 1
      raise "tick #{@ticks} always fails" if @ticks.even?

      transmit({ tick: @ticks })
    end
end
