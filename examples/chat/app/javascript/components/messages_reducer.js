// The messages of a room, in the order of their ids, each once.
export function messagesReducer(messages, action) {
  switch (action.type) {
    case "reload":
      return messages.map((message) => ({ ...message, stale: true }))
    case "load": {
      // What has come by cable since "reload" is newer than the answer.
      const fresh = messages.filter((message) => !message.stale)
      const older = action.messages.filter((message) => !fresh.some((each) => each.id === message.id))
      return [ ...older, ...fresh ].sort((a, b) => a.id - b.id)
    }
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
