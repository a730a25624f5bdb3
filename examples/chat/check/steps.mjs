// A check is a list of sentences, each of which turns out true or not.
let passed = 0
let failed = 0

export async function step(sentence, run) {
  try {
    const saw = await run()
    passed++
    console.log(`  ✓ ${sentence}${typeof saw === "string" ? `: ${saw}` : ""}`)
    return true
  } catch (error) {
    failed++
    console.log(`  ✗ ${sentence}\n      ${error.message.split("\n").join("\n      ")}`)
    return false
  }
}

// What everything after it stands on.
export async function firstOfAll(sentence, run) {
  if (!await step(sentence, run)) end()
}

export function end() {
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}
