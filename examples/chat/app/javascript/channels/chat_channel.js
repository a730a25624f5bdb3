import consumer from "./consumer"

// Rails counts typing events (10 in 10 s), so keystrokes are not sent one by one.
const TYPING_REPEAT = 2000
const TYPING_STOPS_AFTER = 3000

// One room's subscription. Handlers: connected, disconnected, rejected, and one per type of message:
// message, new_message, message_updated, message_deleted, typing, read_receipt, presence, error.
export default class ChatChannel {
  constructor(roomId, handlers) {
    this.typingSentAt = null
    this.typingStops = null
    this.subscription = consumer.subscriptions.create({ channel: "ChatChannel", room_id: roomId }, {
      connected: () => handlers.connected?.(),
      disconnected: () => handlers.disconnected?.(),
      rejected: () => handlers.rejected?.(),
      received: (data) => {
        const handler = handlers[data.type]
        if (handler) handler(data)
        else console.warn("ChatChannel: no handler for", data)
      }
    })
  }

  sendMessage(content, type = "text") {
    this.stopTyping()
    return this.subscription.perform("send_message", { content, type })
  }

  typing() {
    clearTimeout(this.typingStops)
    this.typingStops = setTimeout(() => this.stopTyping(), TYPING_STOPS_AFTER)

    if (this.typingSentAt && Date.now() - this.typingSentAt < TYPING_REPEAT) return
    this.typingSentAt = Date.now()
    this.subscription.perform("typing", { typing: true })
  }

  stopTyping() {
    clearTimeout(this.typingStops)
    if (!this.typingSentAt) return
    this.typingSentAt = null
    this.subscription.perform("typing", { typing: false })
  }

  markRead(messageIds) {
    if (messageIds.length) this.subscription.perform("mark_read", { message_ids: messageIds })
  }

  leave() {
    clearTimeout(this.typingStops)
    this.subscription.unsubscribe()
  }
}
