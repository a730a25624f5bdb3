// A headless Chromium with a window per person, driven over its own DevTools protocol.
import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { once } from "node:events"
import { tmpdir } from "node:os"
import { join } from "node:path"
import WebSocket from "ws"
import { until } from "./person.mjs"

const ARGUMENTS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1280,800"
]

export class Chromium {
  static async start(executable = process.env.CHROMIUM ?? "chromium") {
    const profile = await mkdtemp(join(tmpdir(), "chat-chromium-"))
    const process_ = spawn(executable, [ ...ARGUMENTS, `--user-data-dir=${profile}` ], { stdio: [ "ignore", "ignore", "pipe" ] })
    const address = await new Promise((resolve, reject) => {
      let said = ""
      process_.on("error", () => reject(new Error(`${executable} is not installed; CHROMIUM names another`)))
      process_.on("exit", () => reject(new Error(`${executable} ended:\n${said}`)))
      process_.stderr.on("data", (data) => {
        said += data
        const match = said.match(/DevTools listening on (ws:\S+)/)
        if (match) resolve(match[1])
      })
    })
    const socket = new WebSocket(address, { maxPayload: 64 * 1024 * 1024 })
    await once(socket, "open")
    return new Chromium(process_, profile, socket)
  }

  constructor(process_, profile, socket) {
    Object.assign(this, { process: process_, profile, socket, lastId: 0, pending: new Map() })
    socket.on("message", (data) => {
      const { id, result, error } = JSON.parse(data)
      const waiting = this.pending.get(id)
      if (!waiting) return
      this.pending.delete(id)
      error ? waiting.reject(new Error(error.message)) : waiting.resolve(result)
    })
  }

  send(method, params = {}, sessionId) {
    const id = ++this.lastId
    this.socket.send(JSON.stringify({ id, method, params, sessionId }))
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }))
  }

  // A window with cookies of its own, as if on another machine.
  async window(name) {
    const { browserContextId } = await this.send("Target.createBrowserContext")
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId, width: 1280, height: 800 })
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true })
    return new Window(name, (method, params) => this.send(method, params, sessionId))
  }

  async stop() {
    const ended = once(this.process, "exit")
    await this.send("Browser.close").catch(() => this.process.kill())
    await ended
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

class Window {
  constructor(name, send) {
    Object.assign(this, { name, send })
  }

  visit(url) {
    return this.send("Page.navigate", { url })
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true })
    if (exceptionDetails) throw new Error(`${this.name}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value
  }

  // The number of visible matches whose text includes this.
  count(selector, text = "") {
    return this.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})]
      .filter((element) => element.checkVisibility() && element.textContent.includes(${JSON.stringify(text)})).length`)
  }

  see(selector, text = "", count = 1) {
    return until(`${this.name} to see ${selector} ${text}`, async () => await this.count(selector, text).catch(() => 0) === count, 20_000)
  }

  async click(selector, text = "") {
    await until(`${this.name} to see ${selector} ${text}`, () => this.count(selector, text).catch(() => 0))
    await this.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})]
      .find((element) => element.textContent.includes(${JSON.stringify(text)})).click()`)
  }

  async type(selector, text) {
    await this.see(selector)
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`)
    await this.send("Input.insertText", { text })
  }

  resize(width, height) {
    return this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 720 })
  }

  async screenshot(path) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" })
    await writeFile(path, Buffer.from(data, "base64"))
  }
}
