// Drives the guide's own JavaScript: node guide.mjs FOLDER URL TOKEN ORIGIN
// Orders come in as lines of JSON, and what its callbacks were told goes out as lines of JSON.
import { register } from "node:module"
import { createInterface } from "node:readline"
import { pathToFileURL } from "node:url"
import WebSocket from "ws"

const [ folder, url, token, origin ] = process.argv.slice(2)

// What it expects of a browser and of the page.
const metas = { "action-cable-url": url, "cable-token": token }
globalThis.self = globalThis
globalThis.document = {
  visibilityState: "visible",
  querySelector: (selector) => ({ content: metas[selector.match(/name="(.*)"/)[1]] })
}
globalThis.addEventListener = () => {}
globalThis.removeEventListener = () => {}
console.log = () => {}

register("./guide_modules.mjs", import.meta.url)
const { adapters } = await import("@rails/actioncable")
adapters.WebSocket = class extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { origin })
    this.on("error", () => {}) // its close event follows
  }
}
const { default: ChatChannel } = await import(pathToFileURL(`${folder}/chat_channel.js`))
const { default: NotificationChannel } = await import(pathToFileURL(`${folder}/notification_channel.js`))

const say = (event, message) => process.stdout.write(`${JSON.stringify({ event, message })}\n`)
const callbacks = (...names) => Object.fromEntries(names.map((name) => [ `on${name}`, (message) => say(name, message) ]))
const chat = new ChatChannel(1, callbacks("Connected", "Disconnected", "Rejected", "Message", "Typing", "ReadReceipt"))
const notifications = new NotificationChannel(callbacks("UnreadCount", "MarkedRead", "AllMarkedRead"))

const objects = { chat, notifications }
const lines = createInterface({ input: process.stdin })
lines.on("line", (line) => {
  const { order: [ object, method, ...values ] } = JSON.parse(line)
  objects[object][method](...values)
})
lines.on("close", () => process.exit(0))
