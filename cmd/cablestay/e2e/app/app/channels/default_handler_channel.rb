# frozen_string_literal: true

# Has a default handler of its own and nothing else that is unusual.
class DefaultHandlerChannel < ApplicationCable::Channel
  def subscribed
    stream_from "default_handler_#{params[:room]}"
  end

  private
    def default_stream_handler(broadcasting, coder:)
      ->(payload) { transmit({ default: payload, from: broadcasting }) }
    end
end
