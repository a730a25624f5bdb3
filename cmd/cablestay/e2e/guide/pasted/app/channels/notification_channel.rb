# app/channels/notification_channel.rb

class NotificationChannel < ApplicationCable::Channel
  def subscribed
    # Each user gets their own notification stream
    stream_from notification_stream_name
    
    # Send unread count on subscribe
    transmit(
      type: 'unread_count',
      count: current_user.notifications.unread.count
    )
  end

  def unsubscribed
    # Cleanup if needed
  end

  # Mark notification as read
  def mark_as_read(data)
    notification_id = data['notification_id']
    
    notification = current_user.notifications.find_by(id: notification_id)
    return unless notification
    
    notification.update!(read_at: Time.current)
    
    # Confirm the action
    transmit(
      type: 'marked_read',
      notification_id: notification_id,
      unread_count: current_user.notifications.unread.count
    )
  end

  # Mark all notifications as read
  def mark_all_read
    current_user.notifications.unread.update_all(read_at: Time.current)
    
    transmit(
      type: 'all_marked_read',
      unread_count: 0
    )
  end

  private

  def notification_stream_name
    "notifications_user_#{current_user.id}"
  end
end
