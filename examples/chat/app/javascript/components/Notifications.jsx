import { useEffect, useRef, useState } from "react"
import { api } from "../api"
import NotificationChannel from "../channels/notification_channel"

export default function Notifications({ currentUser, colleagues }) {
  const [ notifications, setNotifications ] = useState([])
  const [ unread, setUnread ] = useState(0)
  const [ announcement, setAnnouncement ] = useState(null)
  const [ open, setOpen ] = useState(false)
  const channel = useRef(null)

  useEffect(() => {
    const read = (matches) => setNotifications((all) => all.map((each) => matches(each) ? { ...each, read_at: each.read_at ?? "now" } : each))

    channel.current = new NotificationChannel({
      connected: () => api("GET", "/notifications").then((data) => setNotifications(data.notifications)).catch(console.error),
      unread_count: (data) => setUnread(data.count),
      notification: (data) => {
        setNotifications((all) => [ data.notification, ...all.filter((each) => each.id !== data.notification.id) ])
        setUnread((count) => count + 1)
      },
      marked_read: (data) => { read((each) => each.id === data.notification_id); setUnread(data.unread_count) },
      all_marked_read: (data) => { read(() => true); setUnread(data.unread_count) },
      announcement: setAnnouncement
    })
    return () => channel.current.leave()
  }, [])

  return (
    <div className="notifications">
      <button className="bell quiet" aria-label="Notifications" aria-expanded={open} onClick={() => setOpen(!open)}>
        <svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round"><path d="M18 15.5V11a6 6 0 1 0-12 0v4.5L4.5 18h15zM10 21h4" /></svg>
        {unread > 0 && <span className="unread">{unread}</span>}
      </button>

      {open && (
        <div className="panel">
          <header>
            <strong>Notifications</strong>
            <button className="quiet" disabled={unread === 0} onClick={() => channel.current.markAllRead()}>Mark all read</button>
          </header>
          {notifications.length === 0 && <p className="hint">Nothing yet.</p>}
          {notifications.map((each) => (
            <button key={each.id} className={`notification ${each.read_at ? "" : "new"}`} onClick={() => channel.current.markAsRead(each.id)}>
              <strong>{each.title}</strong>
              <span>{each.body}</span>
              <small>{each.sender_name}</small>
            </button>
          ))}
          <NotifyForm currentUser={currentUser} colleagues={colleagues.filter((person) => person.id !== currentUser.id)} />
        </div>
      )}

      {announcement && (
        <div className="announcement" role="status" onClick={() => setAnnouncement(null)}>
          <strong>{announcement.user_name}</strong> {announcement.body}
        </div>
      )}
    </div>
  )
}

// An admin may also tell everybody: that is an announcement.
function NotifyForm({ currentUser, colleagues }) {
  const [ outcome, setOutcome ] = useState(null)
  if (colleagues.length === 0) return null

  const notify = async (event) => {
    event.preventDefault()
    const form = event.target
    const [ recipient, title ] = [ form.recipient.value, form.title.value ]
    try {
      if (recipient === "everybody") await api("POST", "/announcements", { body: title })
      else await api("POST", "/notifications", { notification: { recipient_id: Number(recipient), title, notification_type: "mention" } })
      form.title.value = ""
      setOutcome({ text: "Sent.", className: "hint" })
    } catch {
      setOutcome({ text: "That could not be sent.", className: "alert" })
    }
  }

  return (
    <form className="notify" onSubmit={notify}>
      <select name="recipient" aria-label="Notify whom">
        {colleagues.map((person) => <option key={person.id} value={person.id}>{person.name}</option>)}
        {currentUser.admin && <option value="everybody">Everybody</option>}
      </select>
      <input name="title" placeholder="Nudge a colleague" aria-label="Notification" required maxLength="200" />
      <button>Notify</button>
      {outcome && <p className={outcome.className} role="status">{outcome.text}</p>}
    </form>
  )
}
