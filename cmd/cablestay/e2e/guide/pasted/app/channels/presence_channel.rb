# app/channels/presence_channel.rb

class PresenceChannel < ApplicationCable::Channel
  def subscribed
    # Subscribe to organization presence
    @organization = current_user.organization
    return reject unless @organization
    
    stream_from presence_stream_name
    
    # Mark user as online
    mark_online
    
    # Broadcast updated presence
    broadcast_presence_update(:online)
    
    # Send current presence list
    transmit(
      type: 'presence_list',
      users: presence_list
    )
  end

  def unsubscribed
    return unless @organization
    
    mark_offline
    broadcast_presence_update(:offline)
  end

  # Handle heartbeat to maintain presence
  def heartbeat
    return unless @organization
    
    # Refresh online status
    mark_online
  end

  # Update user status (away, busy, etc.)
  def update_status(data)
    return unless @organization
    
    status = data['status']
    return unless %w[online away busy dnd].include?(status)
    
    set_status(status)
    broadcast_presence_update(status.to_sym)
  end

  private

  def presence_stream_name
    "presence_org_#{@organization.id}"
  end

  def mark_online
    $redis.multi do |multi|
      multi.hset(presence_key, current_user.id, Time.current.to_i)
      multi.expire(presence_key, 5.minutes.to_i)
    end
  end

  def mark_offline
    $redis.hdel(presence_key, current_user.id)
  end

  def set_status(status)
    $redis.hset(status_key, current_user.id, status)
    $redis.expire(status_key, 5.minutes.to_i)
  end

  def presence_key
    "presence:org:#{@organization.id}"
  end

  def status_key
    "status:org:#{@organization.id}"
  end

  def presence_list
    online_times = $redis.hgetall(presence_key)
    statuses = $redis.hgetall(status_key)
    
    user_ids = online_times.keys.map(&:to_i)
    users = User.where(id: user_ids).index_by(&:id)
    
    online_times.map do |user_id, timestamp|
      user = users[user_id.to_i]
      next unless user
      
      {
        id: user.id,
        name: user.name,
        avatar_url: user.avatar_url,
        status: statuses[user_id] || 'online',
        last_seen: Time.at(timestamp.to_i).iso8601
      }
    end.compact
  end

  def broadcast_presence_update(status)
    ActionCable.server.broadcast(
      presence_stream_name,
      {
        type: 'presence_update',
        user_id: current_user.id,
        user_name: current_user.name,
        user_avatar: current_user.avatar_url,
        status: status,
        timestamp: Time.current.iso8601
      }
    )
  end
end
