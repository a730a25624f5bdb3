# frozen_string_literal: true

# Raises in the callback that it is told to, after it has begun to stream.
class RaisingChannel < ApplicationCable::Channel
  rescue_from(StandardError) { |error| transmit({ rescued: error.message }) }

  def subscribed
    stream_from "raising_#{params[:room]}" if params[:room]
    journal "subscribed"
    raise "subscribed always fails" if params[:in] == "subscribed"
  end

  def unsubscribed
    journal "unsubscribed"
    raise "unsubscribed always fails" if params[:in] == "unsubscribed"
  end

  def echo(data)
    transmit(data)
  end
end
