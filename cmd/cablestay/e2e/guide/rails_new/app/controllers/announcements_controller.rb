# frozen_string_literal: true

# Broadcasts with the guide's job and with its service.
class AnnouncementsController < ApplicationController
  def create
    room = ChatRoom.find(params.require(:room))
    if params[:later]
      BroadcastUpdateJob.perform_later("chat_room_#{room.id}", { type: "announcement", text: params.require(:text) })
    else
      BroadcastService.broadcast_to_room(room, { type: "announcement", text: params.require(:text) })
    end
    head :no_content
  end
end
