# frozen_string_literal: true

# Confirms only once the test opens the gate.
class SlowChannel < ApplicationCable::Channel
  def subscribed
    journal "subscribed"
    Gate.pass(params[:gate])
  end
end
