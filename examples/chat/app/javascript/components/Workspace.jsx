import { useEffect, useRef, useState } from "react"
import PresenceChannel from "../channels/presence_channel"
import Avatar from "./Avatar"

const STATUSES = { online: "Online", away: "Away", busy: "Busy", dnd: "Do not disturb" }

// Everybody of the organization who is online, in whatever room.
export default function Workspace({ currentUser }) {
  const [ people, setPeople ] = useState([])
  const [ rejected, setRejected ] = useState(false)
  const channel = useRef(null)

  useEffect(() => {
    channel.current = new PresenceChannel({
      presence_list: (data) => setPeople(data.users),
      presence_update: (data) => setPeople((current) => {
        const others = current.filter((person) => person.id !== data.user_id)
        if (data.status === "offline") return others
        const person = { id: data.user_id, name: data.user_name, avatar_url: data.user_avatar, status: data.status }
        return [ ...others, person ].sort((a, b) => a.name.localeCompare(b.name))
      }),
      rejected: () => setRejected(true)
    })
    return () => channel.current.leave()
  }, [])

  if (rejected) return null
  const own = people.find((person) => person.id === currentUser.id)

  return (
    <section className="workspace">
      <h2>Online</h2>
      {people.map((person) => (
        <div key={person.id} className="person">
          <Avatar name={person.name} url={person.avatar_url} status={person.status} />
          <span>{person.name}{person.id === currentUser.id && " (you)"}</span>
        </div>
      ))}
      <select aria-label="Your status" value={own?.status ?? "online"} onChange={(event) => channel.current.updateStatus(event.target.value)}>
        {Object.entries(STATUSES).map(([ value, label ]) => <option key={value} value={value}>{label}</option>)}
      </select>
    </section>
  )
}
