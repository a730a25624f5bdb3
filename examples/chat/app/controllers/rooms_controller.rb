# frozen_string_literal: true

class RoomsController < ApplicationController
  def index
    room = current_user.chat_rooms.order(:id).first
    redirect_to room_path(room) if room
  end

  def show
    @rooms = current_user.chat_rooms.order(:id)
    @room = @rooms.find(params[:id])
  end
end
