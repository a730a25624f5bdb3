// A person with a browser: cookies and forms over HTTP, and a real @rails/actioncable consumer whose
// WebSocket sends those cookies and an origin.
import * as ActionCable from "@rails/actioncable"
import WebSocket from "ws"

// The client was written for browsers: it listens for the page becoming visible and for nothing else.
globalThis.document ??= { visibilityState: "visible", addEventListener() {}, removeEventListener() {} }
globalThis.addEventListener ??= () => {}
globalThis.removeEventListener ??= () => {}

// The client makes its sockets from a URL alone, so the fragment, which is never sent, says whose it is.
const people = new Map()

ActionCable.adapters.WebSocket = class extends WebSocket {
  constructor(url, protocols) {
    const [ address, owner ] = url.split("#")
    const person = people.get(owner)
    super(address, protocols, { headers: person.handshakeHeaders(), origin: person.origin })
    this.on("message", (data) => person.frames.push(JSON.parse(data)))
    this.on("unexpected-response", (_request, response) => {
      person.refusals.push(response.statusCode)
      response.destroy()
    })
    this.on("close", () => person.closes++)
    this.on("error", () => {})
  }
}

// Debian 12's Node knows them joined only. A comma inside of one (in a date) has no name and = after it.
const setCookies = (headers) =>
  headers.getSetCookie?.() ?? headers.get("set-cookie")?.split(/,\s*(?=[^;,=\s]+=)/) ?? []

export async function until(what, condition, within = 10_000) {
  const deadline = Date.now() + within
  for (;;) {
    const result = await condition()
    if (result) return result
    if (Date.now() > deadline) throw new Error(`waited ${within / 1000} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export class Person {
  constructor(name, { web, cable, origin = web, headers = {}, token } = {}) {
    Object.assign(this, { name, web, cable, origin, headers, token })
    this.key = `${name.replaceAll(" ", "-")}-${people.size}`
    this.cookies = new Map()
    this.frames = []
    this.refusals = []
    this.closes = 0
    people.set(this.key, this)
  }

  // HTTP

  async request(method, path, body, accept = "application/json") {
    const headers = { Accept: accept, Cookie: this.cookieHeader() }
    if (this.csrfToken) headers["X-CSRF-Token"] = this.csrfToken
    const form = body instanceof URLSearchParams // fetch says so in Content-Type by itself
    if (body && !form) headers["Content-Type"] = "application/json"
    const response = await fetch(this.web + path, { method, headers, body: body && !form ? JSON.stringify(body) : body, redirect: "manual" })
    for (const cookie of setCookies(response.headers)) {
      const [ name, value ] = cookie.split(";")[0].split(/=(.*)/s)
      this.cookies.set(name, value)
    }
    const text = await response.text()
    const type = response.headers.get("content-type") ?? ""
    return { status: response.status, location: response.headers.get("location"), text, json: text && type.includes("json") ? JSON.parse(text) : null }
  }

  async visit(path) {
    const page = await this.request("GET", path, null, "text/html")
    this.csrfToken = page.text.match(/name="csrf-token" content="([^"]+)"/)?.[1] ?? this.csrfToken
    return page
  }

  // At /session an encrypted cookie comes back, at /users/sign_in a session with Warden's user.
  async logIn(email, password, path = "/session") {
    await this.visit("/login")
    const answer = await this.request("POST", path, new URLSearchParams({ email, password }), "text/html")
    if (answer.status !== 302 || answer.location.endsWith("/login")) throw new Error(`${this.name} could not log in: ${answer.status}`)
    const room = new URL((await this.visit("/")).location).pathname
    const page = await this.visit(room)
    this.user = JSON.parse(page.text.match(/data-props="([^"]+)"/)[1].replaceAll("&quot;", '"')).currentUser
    return page
  }

  cookieHeader() {
    return [ ...this.cookies ].map(([ name, value ]) => `${name}=${value}`).join("; ")
  }

  // The cable

  handshakeHeaders() {
    const cookie = this.cookieHeader()
    return { ...(cookie ? { Cookie: cookie } : {}), ...this.headers }
  }

  get consumer() {
    const query = this.token ? `?token=${encodeURIComponent(this.token)}` : ""
    return this._consumer ??= ActionCable.createConsumer(`${this.cable}${query}#${this.key}`)
  }

  // What comes back keeps everything that reached the subscription.
  subscribe(params) {
    const seen = { received: [], connected: 0, disconnected: 0, rejected: 0 }
    const subscription = this.consumer.subscriptions.create(params, {
      connected: () => seen.connected++,
      disconnected: () => seen.disconnected++,
      rejected: () => seen.rejected++,
      received: (data) => seen.received.push(data)
    })
    const name = this.name
    return Object.assign(seen, {
      perform: (action, data) => subscription.perform(action, data),
      unsubscribe: () => subscription.unsubscribe(),
      confirmed: () => until(`${name}'s confirmation of ${params.channel}`, () => seen.connected > 0),
      count: (match) => seen.received.filter(match).length,
      get: (what, match, within) => until(`${name} to receive ${what}`, () => seen.received.find(match), within)
    })
  }

  leave() {
    this._consumer?.disconnect()
  }
}
