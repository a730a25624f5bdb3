import consumer from "./consumer"

// Rails forgets who has been silent for five minutes.
const HEARTBEAT = 60_000

// Handlers: presence_list, presence_update, rejected (people without an organization).
export default class PresenceChannel {
  constructor(handlers) {
    this.subscription = consumer.subscriptions.create({ channel: "PresenceChannel" }, {
      connected: () => this.startHeartbeat(),
      disconnected: () => this.stopHeartbeat(),
      rejected: () => handlers.rejected?.(),
      received: (data) => handlers[data.type]?.(data)
    })
  }

  updateStatus(status) {
    this.subscription.perform("update_status", { status })
  }

  leave() {
    this.stopHeartbeat()
    this.subscription.unsubscribe()
  }

  startHeartbeat() {
    this.stopHeartbeat()
    this.heartbeat = setInterval(() => this.subscription.perform("heartbeat"), HEARTBEAT)
  }

  stopHeartbeat() {
    clearInterval(this.heartbeat)
  }
}
