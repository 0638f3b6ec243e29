// Appends whose answer is lost: the log is looked at before anything is sent again, and only the identical request is.
import { describe, expect, it } from 'vitest'
import type { ProposedEvent } from '../../src/log/event.js'
import type { AppendResult, EventStore } from '../../src/log/event-store.js'
import type { ExpectedRevision } from '../../src/log/revision.js'
import { appendSettled } from '../../src/repair/settled-append.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { anEvent, eventsOf, someEvents } from '../controls/events.js'
import { write } from '../controls/log-writer.js'

const LOST: AppendResult = { kind: 'unknown', message: 'lost' }

/** A store whose answers come from a script: `write` lets the append happen, `lose` hides the answer, `act` happens before. */
function scripted(
  store: EventStore,
  script: { write: boolean; lose: boolean; act?: () => Promise<unknown> }[],
  inPause: () => Promise<unknown> = async () => undefined,
) {
  const sent: { events: readonly ProposedEvent[]; expected: ExpectedRevision }[] = []
  const pauses: number[] = []
  const append: EventStore['append'] = async (stream, events, expected) => {
    const step = script[sent.length] ?? { write: true, lose: false }
    sent.push({ events, expected })
    await step.act?.()
    const result = step.write ? await store.append(stream, events, expected) : LOST
    return step.lose ? LOST : result
  }
  const flaky = { append, readStream: store.readStream.bind(store) } as EventStore
  const settle = (events: readonly ProposedEvent[], expected: number | 'noStream') =>
    appendSettled(flaky, 's-1', events, expected, async (ms) => {
      pauses.push(ms)
      await inPause()
    })
  return { sent, pauses, settle }
}

describe('an append', () => {
  it('that is answered is not sent again', async () => {
    const { sent, pauses, settle } = scripted(openMemoryStore(), [])
    expect(await settle([anEvent()], 'noStream')).toMatchObject({ kind: 'appended', revision: 0 })
    expect(sent).toHaveLength(1)
    expect(pauses).toEqual([])
  })

  it('that is lost before it was written is sent again, the same to the byte', async () => {
    const store = openMemoryStore()
    const { sent, pauses, settle } = scripted(store, [{ write: false, lose: true }])
    expect(await settle(someEvents(2), 'noStream')).toMatchObject({ kind: 'appended', revision: 1 })
    expect(sent).toHaveLength(2)
    expect(sent[1]).toEqual(sent[0])
    expect(pauses).toHaveLength(1)
    expect(await eventsOf(store, 's-1')).toHaveLength(2)
  })

  it('that is lost after it was written is found, and not sent again', async () => {
    const store = openMemoryStore()
    const { sent, settle } = scripted(store, [{ write: true, lose: true }])
    expect(await settle(someEvents(2), 'noStream')).toEqual({ kind: 'appended', revision: 1 })
    expect(sent).toHaveLength(1)
  })

  it('that is lost after it was written is found below what others appended since', async () => {
    const store = openMemoryStore()
    await write(store, 's-1', { type: 'Before' })
    const other = () => write(store, 's-1', { type: 'Other' })
    const { settle } = scripted(store, [{ write: true, lose: true }], other)
    expect(await settle(someEvents(1), 0)).toEqual({ kind: 'appended', revision: 1 })
  })

  it('that is lost unwritten while another wins the place is a conflict', async () => {
    const store = openMemoryStore()
    const { settle } = scripted(store, [
      { write: false, lose: true, act: () => write(store, 's-1', { type: 'Other' }) },
    ])
    expect(await settle([anEvent()], 'noStream')).toEqual({ kind: 'conflict', actual: 0 })
    expect(await eventsOf(store, 's-1')).toHaveLength(1)
  })

  it('that stays lost is unknown, after a bounded number of tries with growing pauses', async () => {
    const { sent, pauses, settle } = scripted(openMemoryStore(), Array(9).fill({ write: false, lose: true }))
    expect(await settle([anEvent()], 'noStream')).toEqual(LOST)
    expect(sent.length).toBeGreaterThan(1)
    expect(sent.length).toBeLessThan(9)
    expect(pauses).toHaveLength(sent.length - 1)
    expect(pauses).toEqual([...new Set(pauses)].toSorted((a, b) => a - b))
  })

  it('that is refused or in conflict at once is told as it is', async () => {
    const store = openMemoryStore()
    const { sent, settle } = scripted(store, [])
    expect(await settle([anEvent()], 7)).toEqual({ kind: 'conflict', actual: 'noStream' })
    await store.tombstone('s-1', 'noStream')
    expect(await settle([anEvent()], 'noStream')).toMatchObject({ kind: 'refused', reason: 'stream-deleted' })
    expect(sent).toHaveLength(2)
  })
})
