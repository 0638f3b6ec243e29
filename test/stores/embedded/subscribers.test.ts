// Many subscribers, slow subscribers, and what they cost the others.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { SubscriptionMessage } from '../../../src/log/event-store.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { anEvent, someEvents } from '../../controls/events.js'
import { testFolder } from './child.js'

test('of 500 subscribers on as many streams only those concerned hear of an append', async () => {
  const store = await openEmbeddedStore({ folder: join(await testFolder(), 'store') })
  await store.append('idle-0', [anEvent()], 'noStream')
  const followers = Array.from({ length: 500 }, (_, i) => store.subscribeToStream(`idle-${i}`, { after: 'end' }))
  const iterators = followers.map((follower) => follower[Symbol.asyncIterator]())
  for (const iterator of iterators) expect((await iterator.next()).value).toEqual({ kind: 'caughtUp' })
  const heard: number[] = []
  const waits = iterators.map(async (iterator, i) => {
    const { value } = await iterator.next()
    if (value) heard.push(i)
  })
  await store.append('idle-7', [anEvent()], 'any')
  await waits[7]
  await sleep(100)
  expect(heard).toEqual([7])
  await store.close()
  await Promise.all(waits)
})

test('a subscriber that does not read holds up nobody, and then gets everything in order', async () => {
  const store = await openEmbeddedStore({ folder: join(await testFolder(), 'store') })
  const slow = store.subscribeToStream('busy')[Symbol.asyncIterator]()
  expect((await slow.next()).value).toEqual({ kind: 'caughtUp' })
  for (let i = 0; i < 5; i += 1) await store.append('busy', someEvents(600), 'any')
  const revisions: number[] = []
  const kinds: string[] = []
  while (revisions.length < 3000 || kinds.at(-1) !== 'caughtUp') {
    const message = (await slow.next()).value as SubscriptionMessage
    kinds.push(message.kind)
    if (message.kind === 'events') revisions.push(...message.events.map(({ revision }) => revision))
  }
  expect(revisions).toEqual(Array.from({ length: 3000 }, (_, i) => i))
  // It had fallen behind by more than one run, so it is told again that it caught up.
  expect(kinds).toEqual(['events', 'events', 'events', 'caughtUp'])
  await store.close()
})
