// Drives one of the real JavaScript clients: node consumer.mjs PACKAGE URL HEADERS
// Orders come in as lines of JSON, and what the client's callbacks were told goes out as lines of JSON.
import { createInterface } from "node:readline"
import { createRequire } from "node:module"
import WebSocket from "ws"

const [ client, url, headers ] = process.argv.slice(2)

// What the client expects of a browser.
globalThis.self = globalThis
globalThis.document = { visibilityState: "visible" }
globalThis.addEventListener = () => {}
globalThis.removeEventListener = () => {}

const { adapters, createConsumer } = createRequire(import.meta.url)(client)

adapters.WebSocket = class extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: JSON.parse(headers) })
    this.on("error", () => {}) // its close event follows
  }
}

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)
const consumer = createConsumer(url)
const subscriptions = new Map()

const orders = {
  subscribe({ name, params }) {
    subscriptions.set(name, consumer.subscriptions.create(params, {
      connected: ({ reconnected } = {}) => say({ event: "connected", name, reconnected }),
      disconnected: ({ willAttemptReconnect }) => say({ event: "disconnected", name, willAttemptReconnect }),
      rejected: () => say({ event: "rejected", name }),
      received: (message) => say({ event: "received", name, message })
    }))
  },
  perform({ name, action, data }) {
    say({ event: "performed", name, sent: subscriptions.get(name).perform(action, data) })
  },
  unsubscribe({ name }) {
    subscriptions.get(name).unsubscribe()
  },
  disconnect() {
    consumer.disconnect()
  }
}

const lines = createInterface({ input: process.stdin })
lines.on("line", (line) => {
  const order = JSON.parse(line)
  orders[order.order](order)
})
lines.on("close", () => process.exit(0))
