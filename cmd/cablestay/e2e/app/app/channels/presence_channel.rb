# frozen_string_literal: true

# Tells the room who joined, from inside subscribed, as presence features do. The one who joins wants to hear it too.
class PresenceChannel < ApplicationCable::Channel
  def subscribed
    stream_from "presence_#{params[:room]}"
    ActionCable.server.broadcast("presence_#{params[:room]}", { joined: device })
  end
end
