# frozen_string_literal: true

# Calls a private method from time to time.
class Timers::SymbolChannel < ApplicationCable::Channel
  periodically :tick, every: 0.2

  def subscribed
    @ticks = 0
    reject if params[:reject]
  end

  def unsubscribed
    journal "unsubscribed", ticks: @ticks
  end

  def reset
    @ticks = 100
    transmit({ reset: true })
  end

  private
    def tick
      @ticks += 1
      transmit({ tick: @ticks, of: params[:name] })
    end
end
