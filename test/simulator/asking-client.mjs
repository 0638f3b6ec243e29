// A client process: asks the simulator at argv[2] to issue under each of the keys `k{n}` for n below argv[3], beginning somewhere
// of its own, and prints what it was told as JSON.
import { httpAuthority } from '../../dist/src/authorities/http-authority.js'

// Fifty of these on a busy machine are slow.
const authority = httpAuthority(process.argv[2], { timeoutMs: 60_000 })
const keys = Number(process.argv[3])
const told = {}
for (let n = 0; n < keys; n += 1) {
  const key = `k${(n + process.pid) % keys}`
  const call = { key, request: { bookingId: `B-${key}`, passengerId: 'P1' } }
  const answer = await authority.issue(call)
  told[key] = answer.kind === 'done' ? answer.answer.ticketNumber : answer.kind
}
process.stdout.write(JSON.stringify(told))
