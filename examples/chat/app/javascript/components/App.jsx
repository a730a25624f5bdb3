import { useState } from "react"
import ChatRoom from "./ChatRoom"
import Dashboard from "./Dashboard"
import Notifications from "./Notifications"
import Workspace from "./Workspace"

export default function App({ room, rooms, currentUser, colleagues }) {
  const [ menu, setMenu ] = useState(false)

  return (
    <div className={`app ${menu ? "menu" : ""}`}>
      <aside className="sidebar">
        <header className="brand">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <div>
            <strong>Cablestay chat</strong>
            <small>{currentUser.organization ?? "No organization"}</small>
          </div>
        </header>

        <nav>
          <h2>Rooms</h2>
          {rooms.map((each) => (
            <a key={each.id} href={`/rooms/${each.id}`} className={each.id === room.id ? "current" : ""}># {each.name}</a>
          ))}
        </nav>

        <Workspace currentUser={currentUser} />
        <Dashboard />
        <SignOut currentUser={currentUser} />
      </aside>

      {menu && <div className="backdrop" onClick={() => setMenu(false)} />}
      <ChatRoom room={room} currentUser={currentUser} onMenu={() => setMenu(true)}>
        <Notifications currentUser={currentUser} colleagues={colleagues} />
      </ChatRoom>
    </div>
  )
}

function SignOut({ currentUser }) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content
  return (
    <form className="sign-out" action="/session" method="post">
      <input type="hidden" name="_method" value="delete" />
      <input type="hidden" name="authenticity_token" value={token} />
      <span>{currentUser.name}</span>
      <button className="quiet">Sign out</button>
    </form>
  )
}
