// Several processes on one folder: guards hold between them, readers read beside writers, subscribers hear of others' events.
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { SubscriptionMessage } from '../../../src/log/event-store.js'
import { comparePositions } from '../../../src/log/position.js'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { anEvent, eventsOf, eventsOfLog, someEvents } from '../../controls/events.js'
import { ended, startChild, testFolder } from './child.js'

test('eight processes appending guarded to the same streams of a folder that none has made yet lose nothing', async () => {
  const folder = join(await testFolder(), 'store')
  const children = Array.from({ length: 8 }, () => ended(startChild('race-appends.mjs', [folder, '40', '4'])))
  const ends = await Promise.all(children)
  expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(ends.map(() => [0, '']))

  const won = ends.flatMap(({ stdout }) => stdout.split('\n'))
  const store = await openEmbeddedStore({ folder, readOnly: true })
  const events = await eventsOfLog(store)
  await store.close()
  expect(won).toHaveLength(8 * 40)
  expect(events.map(({ stream, revision, id }) => `${stream} ${revision} ${id}`).sort()).toEqual(won.sort())
  expect(
    events.every(
      (event, i) => i === 0 || comparePositions(events[i - 1]?.position ?? event.position, event.position) < 0,
    ),
  ).toBe(true)
  expect(await checkFolder(folder)).toMatchObject({ events: 320, streams: 4, problems: [] })
})

test('a reader reads on while another process makes the store grow', async () => {
  const folder = join(await testFolder(), 'store')
  const own = await openEmbeddedStore({ folder })
  await own.append('beside', [anEvent()], 'noStream')
  const reader = await openEmbeddedStore({ folder, readOnly: true })
  const writing = ended(startChild('append-some.mjs', [folder, 'grown', '60', '400000']))
  let done = false
  void writing.then(() => {
    done = true
  })
  let seen = 0
  while (!done) {
    const events = await eventsOfLog(reader, { filter: { streamPrefixes: ['grown'] } })
    expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i))
    expect(events.length).toBeGreaterThanOrEqual(seen)
    seen = events.length
  }
  expect(JSON.parse((await writing).stdout)).toEqual({ acknowledged: 60, readable: 120 })
  expect(await eventsOf(reader, 'grown')).toHaveLength(120)
  expect(await own.append('grown', [anEvent()], 119)).toMatchObject({ kind: 'appended', revision: 120 })
  expect(await eventsOf(reader, 'grown')).toHaveLength(121)
  await Promise.all([own.close(), reader.close()])
})

test("subscribers hear of another process's events, also where the store was made only then", async () => {
  const folder = join(await testFolder(), 'store')
  const store = await openEmbeddedStore({ folder })
  const [one, all] = [store.subscribeToStream('other'), store.subscribeToAll()].map((s) => s[Symbol.asyncIterator]())
  expect((await one?.next())?.value).toEqual({ kind: 'caughtUp' })
  expect((await all?.next())?.value).toEqual({ kind: 'caughtUp' })
  const appending = ended(startChild('append-some.mjs', [folder, 'other', '1', '10']))
  expect((await one?.next())?.value).toMatchObject({ kind: 'events', events: [{ revision: 0 }, { revision: 1 }] })
  expect((await all?.next())?.value).toMatchObject({
    kind: 'events',
    events: [{ stream: 'other' }, { stream: 'other' }],
  })
  expect((await appending).code).toBe(0)
  await store.close()
})

test('two handles in one process see what the other appends', async () => {
  const folder = join(await testFolder(), 'store')
  const [first, second] = [await openEmbeddedStore({ folder }), await openEmbeddedStore({ folder })]
  const heard = second.subscribeToStream('a')[Symbol.asyncIterator]()
  expect((await heard.next()).value).toEqual({ kind: 'caughtUp' })
  await first.append('a', [anEvent()], 'noStream')
  expect((await heard.next()).value).toMatchObject({ kind: 'events', events: [{ revision: 0 }] })
  expect(await second.append('a', [anEvent()], 'noStream')).toEqual({ kind: 'conflict', actual: 0 })
  expect(await second.append('a', [anEvent()], 0)).toMatchObject({ revision: 1 })
  await first.close()
  expect(await eventsOf(second, 'a')).toHaveLength(2)
  await second.close()
})

test('a burst of more events than one run, appended by another writer, is heard in full', async () => {
  const folder = join(await testFolder(), 'store')
  const [first, second] = [await openEmbeddedStore({ folder }), await openEmbeddedStore({ folder })]
  const heard = second.subscribeToStream('burst')[Symbol.asyncIterator]()
  expect((await heard.next()).value).toEqual({ kind: 'caughtUp' })
  const next = heard.next()
  await Promise.all([1, 2, 3].map(() => first.append('burst', someEvents(900), 'any')))
  const revisions: number[] = []
  let message: SubscriptionMessage | undefined = (await next).value
  while (message && revisions.length < 2700) {
    if (message.kind === 'events') revisions.push(...message.events.map(({ revision }) => revision))
    if (revisions.length < 2700) message = (await heard.next()).value
  }
  expect(revisions).toEqual(Array.from({ length: 2700 }, (_, i) => i))
  await Promise.all([first.close(), second.close()])
})

test('a handle that finds the store made while another of its process appends to it does not stop the process', async () => {
  for (let turns = 0; turns < 30; turns += 1) {
    const folder = join(await testFolder(), 'store')
    const [first, second] = [await openEmbeddedStore({ folder }), await openEmbeddedStore({ folder })]
    const appends = Promise.all(Array.from({ length: 20 }, () => first.append('a', someEvents(20), 'any')))
    for (let i = 0; i < turns % 6; i += 1) await nextTurn()
    expect(await second.readStream('b')).toEqual({ kind: 'missing' })
    expect(await second.append('a', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    await appends
    await Promise.all([first.close(), second.close()])
  }
})
