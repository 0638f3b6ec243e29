// A consumer is sent all that it is given, in order, however it comes and goes with reading.
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { NO_BYTES, type RecordedEvent } from '../../../src/log/event.js'
import { ConsumerOutput } from '../../../src/server/persistent/consumer-output.js'
import { until } from './groups.js'

/** Of 10,000 bytes. */
function eventOf(revision: number): RecordedEvent {
  return {
    stream: 'orders',
    revision,
    id: randomUUID(),
    type: 'Counted',
    contentType: 'application/json',
    data: Buffer.alloc(10_000),
    metadata: NO_BYTES,
    created: 0n,
    position: { commit: 0n, prepare: 0n },
  }
}

it('what it is given at the moment at which it has caught up is sent as well', async () => {
  let sentBytes = 0
  let given = 0
  const held: boolean[] = []
  const call = {
    send: async (bytes: Uint8Array) => {
      await nextTurn()
      sentBytes += bytes.length
    },
    abort: (reason: Error) => {
      throw reason
    },
  }
  const give = () => {
    for (let n = 0; n < 40; n++) output.send({ event: eventOf(given++), retryCount: 0 })
  }
  const output = new ConsumerOutput(call, {
    uuidForm: 'string',
    onHeld: (isHeld) => {
      held.push(isHeld)
      if (!isHeld && given < 120) give()
    },
  })
  give()
  await until(() => sentBytes > 120 * 10_000)
  expect(given).toBe(120)
  expect(held).toEqual([true, false, true, false, true, false])
})

it('a call that fails is ended with the reason', async () => {
  const reasons: unknown[] = []
  const failure = new Error('no more')
  const call = { send: () => Promise.reject(failure), abort: (reason: unknown) => reasons.push(reason) }
  const output = new ConsumerOutput(call, { uuidForm: 'structured', onHeld: () => undefined })
  output.send({ event: eventOf(0), retryCount: 0 })
  await until(() => reasons.length > 0)
  expect(reasons).toMatchObject([{ code: 2, cause: failure }])
})
