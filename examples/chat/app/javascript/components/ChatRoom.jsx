import { useEffect, useReducer, useRef, useState } from "react"
import { api } from "../api"
import ChatChannel from "../channels/chat_channel"
import Avatar from "./Avatar"
import MessageForm from "./MessageForm"
import Messages from "./Messages"
import { messagesReducer } from "./messages_reducer"

export default function ChatRoom({ room, currentUser, onMenu, children }) {
  const [ messages, dispatch ] = useReducer(messagesReducer, [])
  const [ loaded, setLoaded ] = useState(false)
  const [ online, setOnline ] = useState([])
  const [ typing, setTyping ] = useState([])
  const [ status, setStatus ] = useState("connecting")
  const [ error, setError ] = useState(null)
  const channel = useRef(null)

  useEffect(() => {
    const stillTyping = (userId) => setTyping((people) => people.filter((person) => person.id !== userId))
    const upsert = (message) => {
      dispatch({ type: "upsert", message })
      stillTyping(message.user_id)
    }

    channel.current = new ChatChannel(room.id, {
      connected: async () => {
        setStatus("connected")
        // What was said while the cable was down is not repeated on it; what is said while this is asked, is.
        dispatch({ type: "reload" })
        try {
          const [ history, presence ] = await Promise.all([
            api("GET", `/api/chat_rooms/${room.id}/messages`),
            api("GET", `/api/chat_rooms/${room.id}`)
          ])
          dispatch({ type: "load", messages: history.messages })
          setOnline(presence.online_users)
          setLoaded(true)
        } catch {
          setError("The messages could not be loaded. Reload the page to try again.")
        }
      },
      disconnected: () => { setStatus("disconnected"); setTyping([]) },
      rejected: () => setStatus("rejected"),

      // A message from the room arrives twice, from the channel and from the model: by its id it is one.
      message: upsert,
      new_message: (data) => upsert(data.message),
      message_updated: (data) => dispatch({ type: "upsert", message: data.message }),
      message_deleted: (data) => dispatch({ type: "delete", id: data.message_id }),
      read_receipt: (data) => dispatch({ type: "read", ids: data.message_ids, readAt: data.read_at }),

      presence: (data) => setOnline(data.online_users),
      typing: (data) => {
        if (data.user_id === currentUser.id) return
        stillTyping(data.user_id)
        if (data.typing) setTyping((people) => [ ...people, { id: data.user_id, name: data.user_name } ])
      },
      error: (data) => setError(data.error)
    })

    return () => channel.current.leave()
  }, [ room.id, currentUser.id ])

  useEffect(() => {
    if (status !== "connected") return
    channel.current.markRead(messages.filter((message) => message.user_id !== currentUser.id && !message.read_at).map((message) => message.id))
  }, [ messages, status, currentUser.id ])

  return (
    <main className="chat-room">
      <header>
        <button className="menu-button quiet" aria-label="Menu" onClick={onMenu}>
          <svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round"><path d="M4 6.5h16M4 12h16M4 17.5h16" /></svg>
        </button>
        <div className="title">
          <h1># {room.name}</h1>
          <p>{room.topic}</p>
        </div>
        <div className="online-users" aria-label="Online">
          {online.map((user) => (
            <span key={user.id} className="online-user" data-name={user.name}><Avatar name={user.name} url={user.avatar_url} /></span>
          ))}
        </div>
        <span className={`status ${status}`}>{status}</span>
        {children}
      </header>

      <Messages messages={messages} loaded={loaded} currentUser={currentUser} />

      <p className="typing-indicator" aria-live="polite">
        {typing.length > 0 && <><span className="dots"><i /><i /><i /></span>{typing.map((person) => person.name).join(", ")} {typing.length === 1 ? "is" : "are"} typing…</>}
      </p>
      {error && <p className="alert" role="alert" onClick={() => setError(null)}>{error}</p>}

      <MessageForm
        disabled={status !== "connected"}
        placeholder={`Message #${room.name}`}
        onTyping={() => channel.current.typing()}
        onSend={(content) => { setError(null); channel.current.sendMessage(content) }}
      />
    </main>
  )
}
