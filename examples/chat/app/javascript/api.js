// JSON over HTTP to our own Rails, with its forgery token.
export async function api(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: {
      "Accept": "application/json",
      "Content-Type": "application/json",
      "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]')?.content ?? ""
    },
    body: body && JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
  return response.status === 200 || response.status === 201 ? response.json() : null
}
