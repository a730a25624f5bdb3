# frozen_string_literal: true

module Api
  # Messages by HTTP. Nothing is broadcast here: the model's callbacks do it.
  class MessagesController < ApplicationController
    before_action :set_room

    def index
      messages = @room.messages.includes(:user).order(id: :desc).limit(100).reverse
      render json: { messages: messages.map(&:as_broadcast) }
    end

    def create
      message = @room.messages.build(message_params.merge(user: current_user))

      if message.save
        render json: { message: message.as_broadcast }, status: :created
      else
        render json: { errors: message.errors.full_messages }, status: :unprocessable_entity
      end
    end

    def update
      message = own_message
      if message.update(message_params)
        render json: { message: message.as_broadcast }
      else
        render json: { errors: message.errors.full_messages }, status: :unprocessable_entity
      end
    end

    def destroy
      own_message.destroy!
      head :no_content
    end

    private
      def set_room
        @room = current_user.chat_rooms.find(params[:chat_room_id])
      end

      def own_message
        @room.messages.where(user: current_user).find(params[:id])
      end

      def message_params
        params.require(:message).permit(:content, :message_type)
      end
  end
end
