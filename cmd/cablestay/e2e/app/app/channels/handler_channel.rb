# frozen_string_literal: true

# Decorates the handlers of its streams, as the comments in Action Cable invite apps to do.
class HandlerChannel < ApplicationCable::Channel
  def subscribed
    @handled = 0
    if params[:block]
      stream_from("handler_#{params[:room]}", coder: ActiveSupport::JSON) { |payload| transmit({ block: payload, handled: @handled }) }
    else
      stream_from "handler_#{params[:room]}"
    end
  end

  private
    def stream_handler(broadcasting, user_handler, coder: nil)
      handler = super
      lambda do |payload|
        @handled += 1
        handler.call(payload)
      end
    end

    def default_stream_handler(broadcasting, coder:)
      ->(payload) { transmit({ default: payload, handled: @handled, from: broadcasting }) }
    end
end
