// app/javascript/channels/chat_channel.js

import consumer from "./consumer"

class ChatChannel {
  constructor(roomId, callbacks = {}) {
    this.roomId = roomId
    this.callbacks = callbacks
    this.subscription = null
    this.typingTimeout = null
  }

  // Connect to the chat room
  connect() {
    this.subscription = consumer.subscriptions.create(
      {
        channel: "ChatChannel",
        room_id: this.roomId
      },
      {
        // Called when connection is established
        connected: () => {
          console.log(`Connected to chat room ${this.roomId}`)
          this.callbacks.onConnected?.()
        },

        // Called when connection is closed
        disconnected: () => {
          console.log(`Disconnected from chat room ${this.roomId}`)
          this.callbacks.onDisconnected?.()
        },

        // Called when connection is rejected
        rejected: () => {
          console.error(`Connection rejected for room ${this.roomId}`)
          this.callbacks.onRejected?.()
        },

        // Called when a message is received
        received: (data) => {
          this.handleMessage(data)
        }
      }
    )
    
    return this
  }

  // Handle incoming messages by type
  handleMessage(data) {
    switch (data.type) {
      case 'message':
        this.callbacks.onMessage?.(data)
        break
      case 'typing':
        this.callbacks.onTyping?.(data)
        break
      case 'read_receipt':
        this.callbacks.onReadReceipt?.(data)
        break
      case 'presence':
        this.callbacks.onPresence?.(data)
        break
      case 'error':
        this.callbacks.onError?.(data)
        break
      default:
        console.warn('Unknown message type:', data.type)
    }
  }

  // Send a message to the room
  sendMessage(content, type = 'text') {
    if (!this.subscription) {
      console.error('Not connected to chat room')
      return false
    }
    
    this.subscription.perform('send_message', {
      content: content,
      type: type
    })
    
    return true
  }

  // Send typing indicator
  sendTyping(isTyping) {
    if (!this.subscription) return
    
    // Debounce typing indicator
    if (this.typingTimeout) {
      clearTimeout(this.typingTimeout)
    }
    
    this.subscription.perform('typing', { typing: isTyping })
    
    // Auto-stop typing after 3 seconds
    if (isTyping) {
      this.typingTimeout = setTimeout(() => {
        this.sendTyping(false)
      }, 3000)
    }
  }

  // Mark messages as read
  markAsRead(messageIds) {
    if (!this.subscription) return
    
    this.subscription.perform('mark_read', {
      message_ids: messageIds
    })
  }

  // Disconnect from the room
  disconnect() {
    if (this.subscription) {
      this.subscription.unsubscribe()
      this.subscription = null
    }
    
    if (this.typingTimeout) {
      clearTimeout(this.typingTimeout)
    }
  }
}

export default ChatChannel
