// Two people chat in Chromium; what they see is kept as screenshots.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { Chromium } from "./chromium.mjs"
import { end, step } from "./steps.mjs"

const web = process.env.CHAT_URL
const folder = process.env.CHAT_SCREENSHOTS
await mkdir(folder, { recursive: true })

const chromium = await Chromium.start().catch((error) => { console.error(`check: ${error.message}`); process.exit(1) })
const ada = await chromium.window("Ada")
const grace = await chromium.window("Grace")
const picture = (window, name) => window.screenshot(join(folder, `${name}.png`))

async function logIn(window, email, button, site = web) {
  await window.visit(`${site}/login`)
  await window.type("input[name=email]", email)
  await window.type("input[name=password]", "let-me-in")
  if (window === ada) await picture(window, "1-login")
  await window.click(button)
  await window.see(".status.connected")
}

console.log("In Chromium")
await step("Ada logs in and her page is connected", () => logIn(ada, "ada@example.test", "button:not(.quiet)"))
await step("Grace logs in through Warden; each sees the other online", async () => {
  await logIn(grace, "grace@example.test", "button.quiet")
  for (const window of [ ada, grace ]) {
    await window.see(".online-user", "", 2)
    await window.see(".workspace .person", "", 2)
  }
})
await step("what Ada writes is there for both, once", async () => {
  await ada.type("#message-input", "The engine might act upon other things besides number.")
  await ada.click(".message-form button")
  await ada.see(".message.own", "might act upon")
  await grace.see(".message:not(.own)", "might act upon")
})
await step("Ada is told that Grace has read it", () => ada.see(".message.own:nth-last-child(2) .read"))
await step("Grace types, Ada sees it, and then the message", async () => {
  await grace.type("#message-input", "It's easier to ask forgiveness than it is to get permission.")
  await ada.see(".typing-indicator", "Grace Hopper is typing")
  await picture(ada, "2-ada")
  await grace.click(".message-form button")
  await ada.see(".message:not(.own)", "forgiveness")
  await ada.see(".typing-indicator", "is typing", 0)
})
await step("a status changes for everybody", async () => {
  await grace.evaluate(`(() => {
    const select = document.querySelector("select[aria-label='Your status']")
    Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(select, "busy")
    select.dispatchEvent(new Event("change", { bubbles: true }))
  })()`)
  await ada.see(".dot.busy")
})
await step("the dashboard has the job's figures", async () => {
  const messages = await ada.evaluate(`fetch("/api/chat_rooms/1/messages").then((response) => response.json()).then((data) => data.messages.length)`)
  await ada.click(".dashboard button")
  await ada.see(".dashboard div:nth-child(2) dd", String(messages))
  return `${messages} messages`
})
await step("Ada nudges Grace, who sees it and marks it read", async () => {
  await ada.click("button.bell")
  await ada.evaluate(`[...document.querySelectorAll("[name=recipient] option")].find((option) => option.text === "Grace Hopper").selected = true`)
  await ada.type("input[name=title]", "Tea at four?")
  await ada.click(".notify button")
  await grace.see(".unread", "1")
  await grace.click("button.bell")
  await grace.see(".notification.new", "Tea at four?")
  await picture(grace, "3-grace")
  await grace.click(".notification.new")
  await grace.see(".unread", "", 0)
})
await step("and announces tea to everybody in one batch", async () => {
  await ada.evaluate(`document.querySelector("[name=recipient]").value = "everybody"`)
  await ada.type("input[name=title]", "Tea is ready")
  await ada.click(".notify button")
  for (const window of [ ada, grace ]) await window.see(".announcement", "Tea is ready")
  await grace.click(".announcement")
})
await step("on a phone the rooms, the colleagues and the way out are in a drawer, and nothing is cut off", async () => {
  await grace.click("button.bell") // which closes it
  await grace.resize(390, 844)
  await grace.see(".sidebar", "", 0)
  await picture(grace, "4-phone")
  await grace.click(".menu-button")
  await grace.see(".sign-out button")
  await picture(grace, "5-phone-drawer")
  const width = await grace.evaluate("document.documentElement.scrollWidth")
  if (width > 390) throw new Error(`the page is ${width} wide`)
  await grace.click(".backdrop")
  await grace.see(".sidebar", "", 0)
  await grace.resize(1280, 800)
})
await step("a page on another host than the cable has no cookie for it, and opens it with the token of its meta tag", async () => {
  const alan = await chromium.window("Alan")
  await logIn(alan, "alan@example.test", "button:not(.quiet)", web.replace("127.0.0.1", "localhost"))
  await grace.see(".online-user", "", 3)
  if (!await alan.evaluate(`document.querySelector("meta[name=cable-token]").content`)) throw new Error("no token")
  await alan.click(".sign-out button")
  await grace.see(".online-user", "", 2)
})
await step("Ada signs out and is gone from Grace's room, whose cable stays", async () => {
  await ada.click(".sign-out button")
  await ada.see("main.login")
  await grace.see(".online-user", "", 1)
  await grace.see(".status.connected")
})

console.log(`  Screenshots: ${folder}`)
await chromium.stop()
end()
