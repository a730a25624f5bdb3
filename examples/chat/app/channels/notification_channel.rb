# frozen_string_literal: true

class NotificationChannel < ApplicationCable::Channel
  def subscribed
    stream_from current_user.notifications_broadcasting
    transmit({ type: "unread_count", count: unread_count })
  end

  def mark_as_read(data)
    # Somebody else's notification is as good as none: ApplicationCable::Channel says "not found".
    notification = current_user.notifications.find(data["notification_id"])
    notification.update!(read_at: Time.current) unless notification.read_at

    transmit({ type: "marked_read", notification_id: notification.id, unread_count: unread_count })
  end

  def mark_all_read
    current_user.notifications.unread.update_all(read_at: Time.current)
    transmit({ type: "all_marked_read", unread_count: 0 })
  end

  private
    def unread_count
      current_user.notifications.unread.count
    end
end
