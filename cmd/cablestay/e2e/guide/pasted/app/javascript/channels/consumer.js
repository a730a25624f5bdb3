// app/javascript/channels/consumer.js

import { createConsumer } from "@rails/actioncable"

// Create the consumer with authentication
const getWebSocketURL = () => {
  const meta = document.querySelector('meta[name="action-cable-url"]')
  const baseUrl = meta ? meta.content : '/cable'
  
  // Add authentication token if using token auth
  const token = document.querySelector('meta[name="cable-token"]')?.content
  if (token) {
    return `${baseUrl}?token=${token}`
  }
  
  return baseUrl
}

// Create and export the consumer
export default createConsumer(getWebSocketURL())
