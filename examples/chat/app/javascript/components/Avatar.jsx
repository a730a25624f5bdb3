export default function Avatar({ name, url, status }) {
  const initials = name.split(" ").map((part) => part[0]).join("").slice(0, 2)
  return (
    <span className="avatar" title={name}>
      {url ? <img src={url} alt="" /> : <b>{initials}</b>}
      {status && <i className={`dot ${status}`} />}
    </span>
  )
}
