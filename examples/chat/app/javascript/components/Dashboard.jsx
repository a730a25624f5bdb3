import { useEffect, useState } from "react"
import { api } from "../api"
import DashboardChannel from "../channels/dashboard_channel"

const refresh = () => api("PATCH", "/dashboard").catch(console.error)

// Figures that a background job sends over the cable.
export default function Dashboard() {
  const [ stats, setStats ] = useState(null)

  useEffect(() => {
    const channel = new DashboardChannel({ connected: refresh, stats_update: (data) => setStats(data.stats) })
    return () => channel.leave()
  }, [])

  return (
    <section className="dashboard">
      <h2>Today <button className="quiet" onClick={refresh}>Refresh</button></h2>
      <dl>
        <div><dt>Messages today</dt><dd>{stats?.messages_today ?? "–"}</dd></div>
        <div><dt>In all</dt><dd>{stats?.messages ?? "–"}</dd></div>
        <div><dt>Rooms</dt><dd>{stats?.rooms ?? "–"}</dd></div>
      </dl>
    </section>
  )
}
