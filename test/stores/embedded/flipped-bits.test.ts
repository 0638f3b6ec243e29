// A data file that was damaged: no reading gives a wrong event. Either it gives what was written, or it says that the store is corrupt.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { StoreCorruptError } from '../../../src/log/store-errors.js'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { anEvent, eventsOf, eventsOfLog, gather, textOf } from '../../controls/events.js'
import { testFolder } from './child.js'

const MARK = 'the-text-that-is-damaged'

async function storeWithMark(): Promise<{ folder: string; marked: RecordedEvent }> {
  const folder = join(await testFolder(), 'store')
  const store = await openEmbeddedStore({ folder })
  await store.append('before-1', [anEvent()], 'any')
  await store.append('damaged-1', [anEvent(), anEvent({ type: 'Marked', data: Buffer.from(MARK) }), anEvent()], 'any')
  await store.append('behind-1', [anEvent()], 'any')
  const [, marked] = await eventsOf(store, 'damaged-1')
  await store.close()
  return { folder, marked: marked as RecordedEvent }
}

/** Flips one bit at each place where the bytes stand, `offset` behind their start. */
async function flip(folder: string, { at, offset }: { at: Buffer; offset: number }): Promise<number> {
  const path = join(folder, 'data.mdb')
  const bytes = await readFile(path)
  let flipped = 0
  for (let start = bytes.indexOf(at); start >= 0; start = bytes.indexOf(at, start + at.length)) {
    const place = start + offset
    bytes[place] = (bytes[place] ?? 0) ^ 1
    flipped += 1
  }
  await writeFile(path, bytes)
  return flipped
}

test('a subscription to damaged events fails too, and the check names the one that is damaged first', async () => {
  const { folder, marked } = await storeWithMark()
  expect(await flip(folder, { at: Buffer.from(MARK), offset: 3 })).toBeGreaterThan(0)
  const place = `${marked.position.commit}/${marked.position.prepare}`
  const store = await openEmbeddedStore({ folder, readOnly: true })
  for (const subscription of [store.subscribeToStream('damaged-1'), store.subscribeToAll()]) {
    await expect(subscription[Symbol.asyncIterator]().next()).rejects.toThrow(`position ${place} of stream "damaged-1"`)
  }
  await store.close()
  const { problems } = await checkFolder(folder)
  expect(problems[0]).toMatchObject({ position: place, stream: 'damaged-1' })
})

test.each([
  ['id', (event: RecordedEvent) => Buffer.from(event.id.replaceAll('-', ''), 'hex')],
  ['type', () => Buffer.from('Marked')],
])('a flipped bit in the %s of an event is found', async (_title, bytesOf) => {
  const { folder, marked } = await storeWithMark()
  expect(await flip(folder, { at: bytesOf(marked), offset: 2 })).toBeGreaterThan(0)
  const store = await openEmbeddedStore({ folder, readOnly: true })
  await expect(eventsOf(store, 'damaged-1')).rejects.toThrow(StoreCorruptError)
  const poured = gather(store.pourAll?.(() => {}, { to: marked.position }) as AsyncIterable<unknown>)
  await expect(poured).rejects.toThrow(StoreCorruptError)
  await store.close()
})

test('a flipped bit in the name of a stream is never taken for another stream', async () => {
  const { folder } = await storeWithMark()
  expect(await flip(folder, { at: Buffer.from('damaged-1'), offset: 8 })).toBeGreaterThan(0)
  const store = await openEmbeddedStore({ folder, readOnly: true })
  await expect(eventsOfLog(store)).rejects.toThrow(StoreCorruptError)
  const outcome = await store.readStream('damaged-0').then(
    ({ kind }) => kind,
    (error: Error) => error.name,
  )
  expect(['missing', 'StoreCorruptError']).toContain(outcome)
  await store.close()
  expect((await checkFolder(folder)).problemCount).toBeGreaterThan(0)
})

test('a flipped bit in any byte of the data of an event is found by a reading and by the check', async () => {
  const { folder } = await storeWithMark()
  const clean = join(folder, '..', 'clean')
  await mkdir(clean)
  await copyFile(join(folder, 'data.mdb'), join(clean, 'data.mdb'))
  const start = (await readFile(join(folder, 'data.mdb'))).lastIndexOf(Buffer.from(MARK))
  for (let i = 0; i < MARK.length; i += 1) {
    const bytes = await readFile(join(clean, 'data.mdb'))
    bytes[start + i] = (bytes[start + i] ?? 0) ^ (1 << (i % 8))
    const copy = join(folder, '..', `copy-${i}`)
    await mkdir(copy)
    await writeFile(join(copy, 'data.mdb'), bytes)
    const store = await openEmbeddedStore({ folder: copy, readOnly: true })
    const texts = await eventsOf(store, 'damaged-1').then(
      (events) => events.map(textOf),
      (error: Error) => error.name,
    )
    await store.close()
    expect(texts).toBe('StoreCorruptError')
    expect((await checkFolder(copy)).problemCount).toBeGreaterThan(0)
  }
})
