// The least that a replay of the embedded store could do. Argument: the store's folder. Prints how many events it parsed.
import { dataStartIn, openLog } from './open-log.mjs'

const { log, close } = openLog(process.argv[2])
let events = 0
for (const { value } of log.getRange({})) {
  JSON.parse(value.toString('utf8', dataStartIn(value)))
  events += 1
}
await close()
process.stdout.write(`${events}\n`)
