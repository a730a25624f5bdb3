# frozen_string_literal: true

module Api
  class ChatRoomsController < ApplicationController
    def show
      room = current_user.chat_rooms.find(params[:id])
      render json: { id: room.id, name: room.name, online_users: RoomPresence.new(room).online_users }
    end
  end
end
