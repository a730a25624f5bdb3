import consumer from "./consumer"

// Handlers: connected, disconnected, and notification, announcement, unread_count, marked_read,
// all_marked_read, error.
export default class NotificationChannel {
  constructor(handlers) {
    this.subscription = consumer.subscriptions.create({ channel: "NotificationChannel" }, {
      connected: () => handlers.connected?.(),
      disconnected: () => handlers.disconnected?.(),
      rejected: () => handlers.rejected?.(),
      received: (data) => handlers[data.type]?.(data)
    })
  }

  markAsRead(notificationId) {
    this.subscription.perform("mark_as_read", { notification_id: notificationId })
  }

  markAllRead() {
    this.subscription.perform("mark_all_read")
  }

  leave() {
    this.subscription.unsubscribe()
  }
}
