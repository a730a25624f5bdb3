import { useState } from "react"

export default function MessageForm({ disabled, placeholder, onTyping, onSend }) {
  const [ content, setContent ] = useState("")

  const send = (event) => {
    event.preventDefault()
    if (!content.trim()) return
    onSend(content)
    setContent("")
  }

  return (
    <form className="message-form" onSubmit={send}>
      <input
        id="message-input"
        value={content}
        placeholder={placeholder}
        aria-label="Message"
        autoComplete="off"
        disabled={disabled}
        onChange={(event) => { setContent(event.target.value); onTyping() }}
      />
      <button type="submit" disabled={disabled || !content.trim()}>Send</button>
    </form>
  )
}
