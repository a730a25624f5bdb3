# frozen_string_literal: true

# Raises in subscribed, after which stock neither confirms nor rejects.
class FailingChannel < ApplicationCable::Channel
  def subscribed
    journal "subscribed"
    raise "this subscription always fails"
  end

  def echo(data)
    transmit(data)
  end
end
