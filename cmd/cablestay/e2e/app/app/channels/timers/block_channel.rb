# frozen_string_literal: true

class Timers::BlockChannel < ApplicationCable::Channel
  periodically(every: 0.2) { transmit({ block: @ticks = @ticks.to_i + 1, for: device }) }
end
