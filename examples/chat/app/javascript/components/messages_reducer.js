// The messages of a room, in the order of their ids, each once.
export function messagesReducer(messages, action) {
  switch (action.type) {
    case "load":
      return action.messages
    case "upsert": {
      const others = messages.filter((message) => message.id !== action.message.id)
      return [ ...others, action.message ].sort((a, b) => a.id - b.id)
    }
    case "delete":
      return messages.filter((message) => message.id !== action.id)
    case "read":
      return messages.map((message) => action.ids.includes(message.id) ? { ...message, read_at: action.readAt } : message)
    default:
      throw new Error(`unknown action ${action.type}`)
  }
}
