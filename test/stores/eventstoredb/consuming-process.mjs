// A consumer of a group as a process of its own, from the build: tells each event that it was given, and acknowledges it a little later.
import { openEventStoreDbStore } from '../../../dist/src/stores/eventstoredb/eventstoredb-store.js'

const [connectionString, source, group] = process.argv.slice(2)
const store = await openPatiently()
const consumer = store.groups.consume({ source, group }, { heldMax: 20 })
for await (const message of consumer.messages) {
  if (message.kind !== 'deliveries') continue
  for (const delivery of message.deliveries) {
    setTimeout(() => {
      // Told before it is acknowledged: what was acknowledged is known to have been dealt with.
      process.stdout.write(`${delivery.event.id}\n`)
      consumer.ack([delivery])
    }, Math.random() * 20)
  }
}

/** The server may be killed just now. */
async function openPatiently() {
  for (;;) {
    try {
      return await openEventStoreDbStore({ connectionString })
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
