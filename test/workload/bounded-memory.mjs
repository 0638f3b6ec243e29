// Goes through a workload of argv[2] bookings in a process with a small heap, and prints the digest of its bytes.
import { createHash } from 'node:crypto'
import { generate } from '../../dist/src/workload/generate.js'

const [bookings, seed] = process.argv.slice(2).map(Number)
const digest = createHash('sha256')
let operations = 0
for (const item of generate({ bookings, seed, scenario: 'mixed' }).items()) {
  if (item.kind === 'opened') digest.update(JSON.stringify(item.outline))
  else {
    operations += 1
    digest.update(`${item.stream} ${item.revision} ${item.at} `)
    if (item.kind === 'append') digest.update(item.event.id).update(item.event.data).update(item.event.metadata)
  }
}
process.stdout.write(JSON.stringify({ operations, digest: digest.digest('hex') }))
