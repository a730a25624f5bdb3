# frozen_string_literal: true

class ChatChannel < ApplicationCable::Channel
  include RateLimitable
  include Validatable

  rate_limit :send_message, limit: 30, period: 60
  rate_limit :typing, limit: 10, period: 10

  MESSAGE = {
    content: { required: true, type: String, max_length: Message::MAX_LENGTH },
    type: { type: String, allowed_values: Message::TYPES }
  }.freeze

  TYPING = { typing: { required: true, type: [ TrueClass, FalseClass ] } }.freeze

  READ = { message_ids: { required: true, type: Array, of: Integer, max_length: 500 } }.freeze

  def subscribed
    room = ChatRoom.find_by(id: params[:room_id])
    return reject unless room&.accessible_to?(current_user)

    # Set only now: a rejected subscription is unsubscribed too, and has nothing to leave.
    @room = room
    stream_from @room.broadcasting

    presence.join(current_user, connection_id)
    broadcast_presence "join"
    logger.info "#{current_user.name} joined #{@room.name}"
  end

  def unsubscribed
    return unless @room

    presence.leave(current_user, connection_id)
    broadcast_presence "leave" unless presence.online?(current_user)
    logger.info "#{current_user.name} left #{@room.name}"
  end

  def send_message(data)
    return unless valid_data?(data, MESSAGE)

    with_rate_limit(:send_message) do
      message = @room.messages.create!(
        user: current_user,
        content: data["content"].strip,
        message_type: data["type"] || "text"
      )
      # The model has broadcast "new_message" to whoever shows messages; this one answers the room.
      broadcast message.as_broadcast.merge(type: "message")
    end
  end

  def typing(data)
    return unless valid_data?(data, TYPING)

    with_rate_limit(:typing) do
      broadcast type: "typing", user_id: current_user.id, user_name: current_user.name, typing: data["typing"]
    end
  end

  def mark_read(data)
    return unless valid_data?(data, READ)

    unread = @room.messages.where(id: data["message_ids"], read_at: nil).where.not(user_id: current_user.id)
    message_ids = unread.order(:id).pluck(:id)
    return if message_ids.empty?

    read_at = Time.current
    unread.update_all(read_at: read_at)
    broadcast type: "read_receipt", user_id: current_user.id, message_ids: message_ids, read_at: read_at.iso8601
  end

  private
    def presence
      RoomPresence.new(@room)
    end

    def broadcast_presence(action)
      broadcast(
        type: "presence",
        action: action,
        user_id: current_user.id,
        user_name: current_user.name,
        user_avatar: current_user.avatar_url,
        online_users: presence.online_users
      )
    end

    def broadcast(payload)
      ActionCable.server.broadcast(@room.broadcasting, payload)
    end
end
