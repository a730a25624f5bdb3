// What a bundler does for the guide's JavaScript: names without .js, and the package by its own name.
const client = "actioncable-7.2/app/assets/javascripts/actioncable.esm.js"

export async function resolve(specifier, context, next) {
  if (specifier === "@rails/actioncable") {
    const { url } = await next(client, { ...context, parentURL: import.meta.url })
    return { url, format: "module", shortCircuit: true }
  }
  if (specifier === "./consumer") return next(`${specifier}.js`, context)
  return next(specifier, context)
}

export async function load(url, context, next) {
  return next(url, url.endsWith("_channel.js") || url.endsWith("consumer.js") ? { ...context, format: "module" } : context)
}
