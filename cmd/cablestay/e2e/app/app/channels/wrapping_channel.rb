# frozen_string_literal: true

# Wraps everything that it transmits, so also every broadcast of its stream.
class WrappingChannel < ApplicationCable::Channel
  def subscribed
    @sent = 0
    stream_from "wrapping_#{params[:room]}"
  end

  def say(data)
    transmit({ said: data["text"] })
  end

  private
    def transmit(data, via: nil)
      return if data == "filtered out"

      super({ wrapped: data, via: via, sent: @sent += 1, for: device }, via: via)
    end
end
