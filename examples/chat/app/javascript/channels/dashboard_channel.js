import consumer from "./consumer"

export default class DashboardChannel {
  constructor(handlers) {
    this.subscription = consumer.subscriptions.create({ channel: "DashboardChannel" }, {
      connected: () => handlers.connected?.(),
      received: (data) => handlers[data.type]?.(data)
    })
  }

  leave() {
    this.subscription.unsubscribe()
  }
}
