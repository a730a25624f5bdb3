# frozen_string_literal: true

# Transmits from threads of its own, when the event that started them is long over.
class ThreadChannel < ApplicationCable::Channel
  def subscribed
    @told = 0
    tell_after(params[:gate], "subscribed") if params[:gate]
  end

  def unsubscribed
    journal "unsubscribed"
  end

  def later(data)
    tell_after(data["gate"], "an action")
    transmit({ started: true })
  end

  def told
    transmit({ told_so_far: @told })
  end

  private
    def tell_after(gate, starter)
      Thread.new do
        Gate.pass(gate)
        transmit({ told: @told += 1, by: "a thread of #{starter}" })
        journal "told"
      end
    end
end
