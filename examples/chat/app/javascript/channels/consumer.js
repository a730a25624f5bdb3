import { createConsumer } from "@rails/actioncable"

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content

// A function: the token is read at each connect, so that a reconnect sends the one the page has then.
function cableURL() {
  const url = meta("action-cable-url") || "/cable"
  const token = meta("cable-token")
  return token ? `${url}?token=${encodeURIComponent(token)}` : url
}

export default createConsumer(cableURL)
