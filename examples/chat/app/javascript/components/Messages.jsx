import { useEffect, useRef } from "react"
import Avatar from "./Avatar"

const time = (iso) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })

export default function Messages({ messages, loaded, currentUser }) {
  const end = useRef(null)
  useEffect(() => { end.current.scrollIntoView({ block: "end" }) }, [ messages ])

  return (
    <section className="messages">
      {loaded && messages.length === 0 && <p className="hint empty">Nobody has said anything here yet.</p>}
      {messages.map((message) => {
        const own = message.user_id === currentUser.id
        return (
          <article key={message.id} className={`message ${own ? "own" : ""}`} data-message-id={message.id}>
            <Avatar name={message.user_name} url={message.user_avatar} />
            <div>
              <header>
                <strong>{message.user_name}</strong>
                <time dateTime={message.created_at}>{time(message.created_at)}</time>
              </header>
              <p>{message.content}</p>
              {own && message.read_at && <small className="read">Read {time(message.read_at)}</small>}
            </div>
          </article>
        )
      })}
      <div ref={end} />
    </section>
  )
}
