// app/javascript/channels/notification_channel.js

import consumer from "./consumer"

class NotificationChannel {
  constructor(callbacks = {}) {
    this.callbacks = callbacks
    this.subscription = null
  }

  connect() {
    this.subscription = consumer.subscriptions.create(
      { channel: "NotificationChannel" },
      {
        connected: () => {
          console.log('Connected to notifications')
          this.callbacks.onConnected?.()
        },

        disconnected: () => {
          console.log('Disconnected from notifications')
          this.callbacks.onDisconnected?.()
        },

        received: (data) => {
          this.handleMessage(data)
        }
      }
    )
    
    return this
  }

  handleMessage(data) {
    switch (data.type) {
      case 'notification':
        this.callbacks.onNotification?.(data.notification)
        break
      case 'unread_count':
        this.callbacks.onUnreadCount?.(data.count)
        break
      case 'marked_read':
        this.callbacks.onMarkedRead?.(data)
        break
      case 'all_marked_read':
        this.callbacks.onAllMarkedRead?.()
        break
    }
  }

  markAsRead(notificationId) {
    this.subscription?.perform('mark_as_read', {
      notification_id: notificationId
    })
  }

  markAllRead() {
    this.subscription?.perform('mark_all_read')
  }

  disconnect() {
    this.subscription?.unsubscribe()
    this.subscription = null
  }
}

export default NotificationChannel
