# frozen_string_literal: true

# Its first tick is what confirms it; it begins to stream in a tick too, and stops for good in the third.
class Timers::DeferringChannel < ApplicationCable::Channel
  periodically :tick, every: 0.2

  def subscribed
    @ticks = 0
    defer_subscription_confirmation!
  end

  def unsubscribed
    journal "unsubscribed", ticks: @ticks
  end

  private
    def tick
      @ticks += 1
      transmit({ tick: @ticks })
      ensure_confirmation_sent if @ticks == 1
      connection.close(reason: "three ticks", reconnect: false) if @ticks == 3
    end
end
