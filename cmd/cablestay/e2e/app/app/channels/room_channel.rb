# frozen_string_literal: true

# Follows one stream; the locked room lets nobody in.
class RoomChannel < ApplicationCable::Channel
  def subscribed
    return reject if params[:room] == "locked"

    stream_from broadcasting
    journal "subscribed"
  end

  def unsubscribed
    journal "unsubscribed"
  end

  def speak(data)
    ActionCable.server.broadcast(broadcasting, { text: data["text"] })
  end

  def visit(data)
    stream_from "room_#{data["room"]}"
    transmit({ visiting: data["room"] })
  end

  def leave
    stop_stream_from broadcasting
    transmit({ left: params[:room] })
  end

  private
    def broadcasting
      "room_#{params[:room]}"
    end
end
