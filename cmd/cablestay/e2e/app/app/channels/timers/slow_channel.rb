# frozen_string_literal: true

# Each tick takes longer than the interval.
class Timers::SlowChannel < ApplicationCable::Channel
  periodically :tick, every: 0.1

  def subscribed
    @running = 0
  end

  private
    def tick
      @running += 1
      sleep 0.3
      transmit({ running: @running })
      @running -= 1
    end
end
