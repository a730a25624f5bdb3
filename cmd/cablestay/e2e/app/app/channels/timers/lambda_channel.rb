# frozen_string_literal: true

class Timers::LambdaChannel < ApplicationCable::Channel
  periodically -> { transmit({ lambda: @ticks = @ticks.to_i + 1, for: device }) }, every: 0.2.seconds
end
