# frozen_string_literal: true

# Begins to stream in its first tick and tells so in the second.
class Timers::StreamingChannel < ApplicationCable::Channel
  periodically :tick, every: 0.2

  private
    def tick
      @ticks = @ticks.to_i + 1
      stream_from "timers_streaming_#{params[:room]}" if @ticks == 1
    end
end
