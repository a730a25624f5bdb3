# frozen_string_literal: true

require "bigdecimal"

# Transmits one value of every kind after the other, and broadcasts.
class ValuesChannel < ApplicationCable::Channel
  VALUES = [
    { html: "<b> & '/" }, [ "a", 1, [] ], "text", 5, 1.5, true, false, nil, "", {},
    "\u2028 and \u2029", 2**64, Time.at(0).utc, Date.new(2020, 1, 1), BigDecimal("1.1"), :symbol,
    { 1 => { true => nil } }, "\"\\\b\f\n\r\t\u0000\u001f\u007fé😀"
  ].freeze

  def subscribed
    @following = 0
  end

  def following
    transmit VALUES[@following]
    @following += 1
  end

  def broadcast_awkward(data)
    ActionCable.server.broadcast(data["broadcasting"], Payload::AWKWARD)
  end
end
