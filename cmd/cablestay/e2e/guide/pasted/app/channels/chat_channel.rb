# app/channels/chat_channel.rb

class ChatChannel < ApplicationCable::Channel
  # Called when client subscribes to the channel
  def subscribed
    # Validate room access before subscribing
    @room = find_room
    
    if @room && can_access_room?(@room)
      # Subscribe to the room's stream
      stream_from room_stream_name(@room)
      
      # Track user presence in the room
      track_presence(@room, :join)
      
      # Notify other users
      broadcast_user_joined(@room)
      
      Rails.logger.info("User #{current_user.id} joined room #{@room.id}")
    else
      # Reject invalid subscriptions
      reject
    end
  end

  # Called when client unsubscribes
  def unsubscribed
    return unless @room
    
    # Remove presence tracking
    track_presence(@room, :leave)
    
    # Notify other users
    broadcast_user_left(@room)
    
    Rails.logger.info("User #{current_user.id} left room #{@room.id}")
  end

  # Handle incoming messages from the client
  def send_message(data)
    return unless @room
    
    # Validate message content
    content = data['content']&.strip
    return if content.blank?
    
    # Enforce rate limiting
    return transmit(error: 'Rate limit exceeded') if rate_limited?
    
    # Create the message record
    message = @room.messages.create!(
      user: current_user,
      content: content,
      message_type: data['type'] || 'text'
    )
    
    # Broadcast to all subscribers
    ActionCable.server.broadcast(
      room_stream_name(@room),
      message_payload(message)
    )
  end

  # Handle typing indicator
  def typing(data)
    return unless @room
    
    is_typing = data['typing'] == true
    
    ActionCable.server.broadcast(
      room_stream_name(@room),
      {
        type: 'typing',
        user_id: current_user.id,
        user_name: current_user.name,
        typing: is_typing
      }
    )
  end

  # Handle message read receipts
  def mark_read(data)
    return unless @room
    
    message_ids = Array(data['message_ids'])
    return if message_ids.empty?
    
    # Mark messages as read
    @room.messages
         .where(id: message_ids)
         .where.not(user_id: current_user.id)
         .update_all(read_at: Time.current)
    
    # Broadcast read receipt
    ActionCable.server.broadcast(
      room_stream_name(@room),
      {
        type: 'read_receipt',
        user_id: current_user.id,
        message_ids: message_ids,
        read_at: Time.current.iso8601
      }
    )
  end

  private

  def find_room
    room_id = params[:room_id]
    return nil unless room_id
    
    ChatRoom.find_by(id: room_id)
  end

  def can_access_room?(room)
    # Check if user is a member of the room
    room.members.exists?(user_id: current_user.id)
  end

  def room_stream_name(room)
    "chat_room_#{room.id}"
  end

  def track_presence(room, action)
    key = "presence:room:#{room.id}"
    
    case action
    when :join
      $redis.sadd(key, current_user.id)
    when :leave
      $redis.srem(key, current_user.id)
    end
    
    # Expire presence data after 1 hour (cleanup for stale connections)
    $redis.expire(key, 1.hour.to_i)
  end

  def broadcast_user_joined(room)
    ActionCable.server.broadcast(
      room_stream_name(room),
      {
        type: 'presence',
        action: 'join',
        user_id: current_user.id,
        user_name: current_user.name,
        user_avatar: current_user.avatar_url,
        online_users: online_users(room)
      }
    )
  end

  def broadcast_user_left(room)
    ActionCable.server.broadcast(
      room_stream_name(room),
      {
        type: 'presence',
        action: 'leave',
        user_id: current_user.id,
        online_users: online_users(room)
      }
    )
  end

  def online_users(room)
    user_ids = $redis.smembers("presence:room:#{room.id}")
    User.where(id: user_ids).pluck(:id, :name, :avatar_url).map do |id, name, avatar|
      { id: id, name: name, avatar_url: avatar }
    end
  end

  def message_payload(message)
    {
      type: 'message',
      id: message.id,
      content: message.content,
      message_type: message.message_type,
      user_id: message.user_id,
      user_name: message.user.name,
      user_avatar: message.user.avatar_url,
      created_at: message.created_at.iso8601
    }
  end

  def rate_limited?
    key = "rate_limit:chat:#{current_user.id}"
    count = $redis.incr(key)
    $redis.expire(key, 60) if count == 1
    
    # Allow 30 messages per minute
    count > 30
  end
end
