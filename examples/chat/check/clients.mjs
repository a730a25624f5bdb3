// Two people and their real clients, through everything this app does with Action Cable.
import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { Person, until } from "./person.mjs"
import { end, firstOfAll, step } from "./steps.mjs"

const web = process.env.CHAT_URL
const cable = process.env.CHAT_CABLE_URL
const port = new URL(web).port
const stock = process.env.CHAT_STOCK === "1"
const people = []

const person = (name, options = {}) => {
  const someone = new Person(name, { web, cable, ...options })
  people.push(someone)
  return someone
}

const PASSWORD = "let-me-in"
const ada = person("Ada")
const grace = person("Grace")
let general, adaRoom, graceRoom, adaNotifications, graceNotifications

const names = (users) => users.map((user) => user.name).join(", ")
const refused = async (someone) => {
  someone.subscribe({ channel: "NotificationChannel" })
  const frame = await until(`${someone.name} to be refused`, () => someone.frames.find((each) => each.type === "disconnect"))
  assert.deepEqual(frame, { type: "disconnect", reason: "unauthorized", reconnect: false })
  await until("the socket to be closed", () => someone.closes === 1)
  assert.equal(someone.frames.some((each) => each.type === "welcome"), false)
  someone.leave()
  return JSON.stringify(frame)
}
const welcomed = async (someone) => {
  const notifications = someone.subscribe({ channel: "NotificationChannel" })
  await notifications.confirmed()
  someone.leave()
}
const turnedAway = async (someone) => {
  someone.subscribe({ channel: "NotificationChannel" })
  const status = await until(`${someone.name}'s handshake to be refused`, () => someone.refusals[0])
  someone.leave()
  assert.equal(status, 404)
  return `HTTP ${status}`
}
const jwt = (payload, key) => {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const body = `${encode({ alg: "HS256" })}.${encode(payload)}`
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`
}

console.log("Logging in")
await firstOfAll("Ada logs in and has an encrypted cookie", async () => {
  await ada.logIn("ada@example.test", PASSWORD)
  assert.ok(ada.cookies.has("user_id"))
})
await firstOfAll("Grace logs in through Warden and has only a session", async () => {
  await grace.logIn("grace@example.test", PASSWORD, "/users/sign_in")
  assert.equal(grace.cookies.has("user_id"), false)
})
await step("the page names the cable", async () => {
  const page = await ada.visit("/rooms/1")
  const url = page.text.match(/name="action-cable-url" content="([^"]+)"/)[1]
  assert.equal(url, cable)
  return url
})
await firstOfAll("Ada's cable opens by her cookie and tells her unread count in subscribed", async () => {
  adaNotifications = ada.subscribe({ channel: "NotificationChannel" })
  const { count } = await adaNotifications.get("the unread count", (data) => data.type === "unread_count")
  await adaNotifications.confirmed()
  assert.equal(ada.frames[0].type, "welcome")
  return `${count} unread`
})
await firstOfAll("Grace's cable opens by her Warden session", async () => {
  graceNotifications = grace.subscribe({ channel: "NotificationChannel" })
  await graceNotifications.confirmed()
})
await step("a phone's cable opens by a token", async () => {
  const phone = person("Alan's phone")
  const { json } = await phone.request("POST", "/api/token", { email: "alan@example.test", password: PASSWORD })
  phone.token = json.token
  phone.cookies.clear()
  await welcomed(phone)
})

console.log("Refusals")
const hour = Math.floor(Date.now() / 1000) + 3600
const key = process.env.CHAT_SECRET_KEY_BASE
await step("a token signed by this check is taken too, so that the next two fail for their one fault", () =>
  welcomed(person("Token", { token: jwt({ user_id: ada.user.id, exp: hour }, key) })))
await step("an expired token", () => refused(person("Expired", { token: jwt({ user_id: ada.user.id, exp: hour - 7200 }, key) })))
await step("a forged token", () => refused(person("Forged", { token: jwt({ user_id: ada.user.id, exp: hour }, "another key") })))
await step("nobody in particular", () => refused(person("Nobody")))
await step("a person who has left the company", async () => {
  const charles = person("Charles")
  await charles.logIn("charles@example.test", PASSWORD, "/users/sign_in")
  return refused(charles)
})
await step("a blocked address", () => {
  const blocked = person("Blocked", { headers: { "X-Forwarded-For": "203.0.113.9" } })
  blocked.cookies = ada.cookies
  return refused(blocked)
})
await step("a page elsewhere", () => {
  const evil = person("Evil", { origin: "http://evil.test" })
  evil.cookies = ada.cookies
  return turnedAway(evil)
})
for (const origin of [ `http://localhost:${port}`, `http://192.168.0.7:${port}` ]) {
  await step(`but not ${origin}`, () => {
    const friend = person("Friend", { origin })
    friend.cookies = ada.cookies
    return welcomed(friend)
  })
}

console.log("A room")
await firstOfAll("Ada joins and sees her own join, once, with the list of who is online", async () => {
  // Stock publishes the join while Redis may still be taking in the SUBSCRIBE: there it can pass her by,
  // and she joins again. Cablestay promises it at the first time.
  for (let tries = 1; ; tries++) {
    adaRoom = ada.subscribe({ channel: "ChatChannel", room_id: 1 })
    await adaRoom.confirmed()
    try {
      const join = await adaRoom.get("her own join", (data) => data.type === "presence" && data.action === "join", stock ? 500 : 10_000)
      assert.equal(join.user_id, ada.user.id)
      return `online: ${names(join.online_users)}${tries > 1 ? `, at the ${tries}. try` : ""}`
    } catch (error) {
      if (!stock || tries === 20) throw error
      adaRoom.unsubscribe()
    }
  }
})
await firstOfAll("Grace joins and both see it", async () => {
  graceRoom = grace.subscribe({ channel: "ChatChannel", room_id: 1 })
  const isJoin = (data) => data.type === "presence" && data.action === "join" && data.user_id === grace.user.id
  const [ mine, hers ] = await Promise.all([ graceRoom.get("her own join", isJoin), adaRoom.get("Grace's join", isJoin) ])
  assert.deepEqual(mine, hers)
  assert.equal(names(mine.online_users), "Ada Lovelace, Grace Hopper")
  return `online: ${names(mine.online_users)}`
})
await step("Ada writes, both read it, as the channel said it and as the model did", async () => {
  const content = `A message with <b>markup</b>, quotes " ' and ünïcödé 🚀 ${Date.now()}`
  adaRoom.perform("send_message", { content: `  ${content} `, type: "text" })
  for (const room of [ adaRoom, graceRoom ]) {
    const message = await room.get("the message", (data) => data.type === "message" && data.content === content)
    const created = await room.get("the model's broadcast", (data) => data.type === "new_message" && data.message.id === message.id)
    assert.equal(created.message.content, content)
    assert.equal(message.user_name, "Ada Lovelace")
    general = message
  }
  const { json } = await grace.request("GET", "/api/chat_rooms/1/messages")
  assert.equal(json.messages.at(-1).content, content)
  return `message ${general.id}, and in the database`
})
await step("Grace types and stops, Ada sees it", async () => {
  graceRoom.perform("typing", { typing: true })
  await adaRoom.get("typing", (data) => data.type === "typing" && data.typing && data.user_id === grace.user.id)
  graceRoom.perform("typing", { typing: false })
  const stopped = await adaRoom.get("the end of it", (data) => data.type === "typing" && !data.typing)
  return `${stopped.user_name} stopped typing`
})
await step("Grace has read it, Ada gets the receipt", async () => {
  graceRoom.perform("mark_read", { message_ids: [ general.id ] })
  const receipt = await adaRoom.get("a receipt", (data) => data.type === "read_receipt" && data.message_ids.includes(general.id))
  assert.equal(receipt.user_id, grace.user.id)
})
await step("data that does not fit the schema comes back as an error, to her alone", async () => {
  graceRoom.perform("send_message", { content: "x".repeat(10_001), type: "hologram" })
  const { error } = await graceRoom.get("the error", (data) => data.type === "error")
  graceRoom.perform("mark_read", { message_ids: "all of them" })
  await graceRoom.get("the other error", (data) => data.error === "message_ids must be Array")
  assert.equal(adaRoom.count((data) => data.type === "error"), 0)
  return error
})
await step("the rate limit stops the eleventh typing in ten seconds", async () => {
  for (let n = 0; n < 11; n++) adaRoom.perform("typing", { typing: n % 2 === 0 })
  const error = await adaRoom.get("the error", (data) => data.type === "error" && data.action === "typing")
  return error.error
})
await step("an action that raises is rescued by the base channel", async () => {
  adaNotifications.perform("mark_as_read", { notification_id: 0 })
  const { error } = await adaNotifications.get("the error", (data) => data.type === "error")
  return error
})
await step("Ada is rejected from the boardroom and from a room that is none", async () => {
  for (const room_id of [ 3, "invalid", null ]) {
    const room = ada.subscribe({ channel: "ChatChannel", room_id })
    await until("the rejection", () => room.rejected === 1)
    assert.equal(room.connected, 0)
  }
})
await step("a message changed and deleted by HTTP reaches the room by the model's callbacks", async () => {
  const { json: { message } } = await ada.request("POST", "/api/chat_rooms/1/messages", { message: { content: "By HTTP" } })
  await graceRoom.get("the message", (data) => data.type === "new_message" && data.message.id === message.id)
  await ada.request("PATCH", `/api/chat_rooms/1/messages/${message.id}`, { message: { content: "By HTTP, better" } })
  const updated = await graceRoom.get("the change", (data) => data.type === "message_updated" && data.message.id === message.id)
  assert.equal(updated.message.content, "By HTTP, better")
  await ada.request("DELETE", `/api/chat_rooms/1/messages/${message.id}`)
  await graceRoom.get("the deletion", (data) => data.type === "message_deleted" && data.message_id === message.id)
})
await step("nothing came twice", () => {
  for (const [ room, someone ] of [ [ adaRoom, ada ], [ graceRoom, grace ] ]) {
    assert.equal(room.count((data) => data.type === "presence" && data.action === "join" && data.user_id === someone.user.id), 1)
    assert.equal(room.count((data) => data.type === "message" && data.id === general.id), 1)
  }
})

console.log("The organization")
await step("presence: the list in subscribed, a status for all to see, a heartbeat", async () => {
  const adaPresence = ada.subscribe({ channel: "PresenceChannel" })
  await adaPresence.get("the list", (data) => data.type === "presence_list")
  await adaPresence.confirmed()
  const gracePresence = grace.subscribe({ channel: "PresenceChannel" })
  const { users } = await gracePresence.get("the list", (data) => data.type === "presence_list")
  assert.equal(names(users), "Ada Lovelace, Grace Hopper")
  await adaPresence.get("Grace online", (data) => data.type === "presence_update" && data.user_id === grace.user.id && data.status === "online")
  gracePresence.perform("heartbeat")
  gracePresence.perform("update_status", { status: "busy" })
  const update = await adaPresence.get("Grace busy", (data) => data.type === "presence_update" && data.status === "busy")
  gracePresence.unsubscribe()
  await adaPresence.get("Grace offline", (data) => data.type === "presence_update" && data.user_id === grace.user.id && data.status === "offline")
  return `${names(users)}; ${update.user_name} is ${update.status}`
})
await step("Katherine, who is in none, is rejected from it", async () => {
  const katherine = person("Katherine")
  await katherine.logIn("katherine@example.test", PASSWORD)
  const presence = katherine.subscribe({ channel: "PresenceChannel" })
  await until("the rejection", () => presence.rejected === 1)
  katherine.leave()
})
await step("Ada notifies Grace from a controller; Grace marks it read, then all", async () => {
  for (const title of [ "Look at this", "And at this" ]) {
    const { status } = await ada.request("POST", "/notifications", { notification: { recipient_id: grace.user.id, title, notification_type: "mention" } })
    assert.equal(status, 201)
  }
  const { notification } = await graceNotifications.get("it", (data) => data.notification?.title === "Look at this")
  await graceNotifications.get("the other", (data) => data.notification?.title === "And at this")
  graceNotifications.perform("mark_as_read", { notification_id: notification.id })
  const marked = await graceNotifications.get("the mark", (data) => data.type === "marked_read" && data.notification_id === notification.id)
  graceNotifications.perform("mark_all_read")
  const all = await graceNotifications.get("the others' mark", (data) => data.type === "all_marked_read")
  assert.deepEqual([ marked.unread_count, all.unread_count ], [ 1, 0 ])
  assert.equal(adaNotifications.count((data) => data.type === "notification"), 0)
  return `"${notification.title}" from ${notification.sender_name}`
})
await step("an announcement reaches everybody in one batch", async () => {
  const { status } = await ada.request("POST", "/announcements", { body: "Tea at four" })
  assert.equal(status, 204)
  const seen = await Promise.all([ adaNotifications, graceNotifications ].map((each) => each.get("it", (data) => data.type === "announcement")))
  assert.deepEqual(seen[0], seen[1])
  return seen[0].body
})
await step("a background job fills the dashboard", async () => {
  const dashboard = grace.subscribe({ channel: "DashboardChannel" })
  await dashboard.confirmed()
  assert.equal((await grace.request("PATCH", "/dashboard")).status, 202)
  const { stats } = await dashboard.get("the figures", (data) => data.type === "stats_update")
  dashboard.unsubscribe()
  return `${stats.messages} messages in ${stats.rooms} rooms`
})

console.log("Leaving and coming back")
await step("Ada disconnects Grace remotely; Grace's client notices, and so does the room", async () => {
  const { status } = await ada.request("DELETE", `/api/users/${grace.user.id}/connections`)
  assert.equal(status, 204)
  await until("Grace's client to be disconnected", () => graceRoom.disconnected === 1)
  const leave = await adaRoom.get("Grace's leave", (data) => data.type === "presence" && data.action === "leave" && data.user_id === grace.user.id)
  assert.equal(ada.closes, 0)
  return `online: ${names(leave.online_users)}`
})
await step("Grace's client comes back by itself and has its subscriptions again", async () => {
  await until("Grace to be back in the room", () => graceRoom.connected === 2 && graceNotifications.connected === 2, 60_000)
  await until("her second join", () => adaRoom.count((data) => data.type === "presence" && data.action === "join" && data.user_id === grace.user.id) === 2)
  graceRoom.perform("send_message", { content: "Back again" })
  await adaRoom.get("her message", (data) => data.type === "message" && data.content === "Back again")
  return `sockets closed on Grace: ${grace.closes}`
})
await step("Grace leaves the room, her cable stays", async () => {
  const leaves = () => adaRoom.count((data) => data.type === "presence" && data.action === "leave" && data.user_id === grace.user.id)
  const before = leaves()
  graceRoom.unsubscribe()
  await until("Ada to see it", () => leaves() === before + 1)
  graceNotifications.perform("mark_all_read")
  await until("an answer", () => graceNotifications.count((data) => data.type === "all_marked_read") === 2)
})
await step("they delete what they wrote, each their own", async () => {
  const { json: { messages } } = await ada.request("GET", "/api/chat_rooms/1/messages")
  const back = messages.find((message) => message.content === "Back again")
  assert.equal((await ada.request("DELETE", `/api/chat_rooms/1/messages/${back.id}`)).status, 404)
  assert.equal((await grace.request("DELETE", `/api/chat_rooms/1/messages/${back.id}`)).status, 204)
  assert.equal((await ada.request("DELETE", `/api/chat_rooms/1/messages/${general.id}`)).status, 204)
  await adaRoom.get("the deletion", (data) => data.type === "message_deleted" && data.message_id === general.id)
})
await step("both go; unsubscribed and disconnect have run for everybody", async () => {
  people.forEach((someone) => someone.leave())
  await until("an empty room", async () => (await ada.request("GET", "/api/chat_rooms/1")).json.online_users.length === 0)
  for (const someone of [ ada, grace ]) {
    await until(`${someone.name}'s connections to be forgotten`, async () => (await someone.request("GET", `/api/users/${someone.user.id}/connections`)).json.connections.length === 0)
  }
})

console.log("Operations")
if (stock) await step("a cable in a process of its own opens by cookie and by token, and hears what the web broadcasts", async () => {
  const standalone = process.env.CHAT_STANDALONE_URL
  const visitors = [ person("Ada elsewhere", { cable: standalone }), person("Token elsewhere", { cable: standalone, token: jwt({ user_id: ada.user.id, exp: hour }, key) }) ]
  visitors[0].cookies = ada.cookies
  const rooms = visitors.map((visitor) => visitor.subscribe({ channel: "ChatChannel", room_id: 1 }))
  await Promise.all(rooms.map((room) => room.confirmed()))
  const { json: { message } } = await ada.request("POST", "/api/chat_rooms/1/messages", { message: { content: "Over there?" } })
  await Promise.all(rooms.map((room) => room.get("it", (data) => data.type === "new_message" && data.message.id === message.id)))
  visitors.forEach((visitor) => visitor.leave())
})
await step("the health endpoint and the metrics answer, and count everyone who is connected", async () => {
  const health = async () => (await ada.request("GET", "/health/cable")).json
  const metrics = async () => (await ada.request("GET", "/metrics")).text
  await until("those who have left to be gone from the counts", async () => (await health()).connections === 0)
  const visitor = person("Ada once more")
  visitor.cookies = ada.cookies
  await visitor.subscribe({ channel: "ChatChannel", room_id: 1 }).confirmed()
  await visitor.subscribe({ channel: "NotificationChannel" }).confirmed()
  await until("one connection with two subscriptions", async () => {
    const { healthy, connections, subscriptions } = await health()
    return healthy && connections === 1 && subscriptions === 2
  })
  assert.match(await metrics(), /^actioncable_connections 1$/m)
  assert.match(await metrics(), /^actioncable_subscriptions 2$/m)
  assert.match(await metrics(), /^actioncable_messages_total\{direction="in",channel="ChatChannel"\} \d+$/m)
  visitor.leave()
  await until("nobody", async () => (await health()).connections === 0)
  return `Redis at ${(await health()).redis.url}`
})

end()
