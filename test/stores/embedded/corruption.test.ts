// Damage on disk is found when it is read, and named; what is not damaged can still be read.
import { randomUUID } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, open } from 'lmdb'
import { describe, expect, test } from 'vitest'
import { checkFolder, PROBLEMS_MAX } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { headKeys, indexKey } from '../../../src/stores/embedded/keys.js'
import { setMetadata } from '../../contract/metadata-contract.js'
import { anEvent, eventsOf, eventsOfLog, someEvents } from '../../controls/events.js'
import { ended, startChild, testFolder } from './child.js'

test('a bit that flipped in an event is found by every reading of it, which names position and stream', async () => {
  const folder = await testFolder()
  const mark = randomUUID()
  const store = await openEmbeddedStore({ folder })
  await store.append('sound-1', someEvents(3), 'noStream')
  await store.append('hurt-1', [anEvent(), anEvent({ data: Buffer.from(mark) }), anEvent()], 'noStream')
  const [, hurt] = await eventsOf(store, 'hurt-1')
  await store.close()
  await flipBitAfter(join(folder, 'data.mdb'), mark)

  const reader = await openEmbeddedStore({ folder, readOnly: true })
  const message = `The event at position ${hurt?.position.commit}/${hurt?.position.prepare} of stream "hurt-1" fails its checksum`
  await expect(eventsOf(reader, 'hurt-1')).rejects.toMatchObject({ name: 'StoreCorruptError', message })
  await expect(eventsOfLog(reader)).rejects.toMatchObject({ name: 'StoreCorruptError', message })
  expect(await eventsOf(reader, 'hurt-1', { maxCount: 1 })).toHaveLength(1)
  expect(await eventsOf(reader, 'sound-1')).toHaveLength(3)
  expect(await eventsOfLog(reader, { filter: { streamPrefixes: ['sound-'] } })).toHaveLength(3)
  await reader.close()
  const { problems, events } = await checkFolder(folder)
  expect(events).toBe(6)
  expect(problems[0]).toEqual({
    message: `Event at ${hurt?.position.commit}/${hurt?.position.prepare}: Stream "hurt-1": fails its checksum`,
    position: `${hurt?.position.commit}/${hurt?.position.prepare}`,
    stream: 'hurt-1',
  })
})

describe('a table that was changed behind the back of the store', () => {
  test('an index entry that is missing', async () => {
    const folder = await storeOf({ a: 3 })
    await edit(folder, 'index', (index) => index.remove(indexKey(1, 1)))
    await expectCorrupt(folder, 'Revision 1 of stream "a" is missing')
    expect(await messagesOf(folder)).toEqual([expect.stringContaining('the index has its revision 1 elsewhere')])
  })

  test('an index entry that leads to another event, or to none', async () => {
    const folder = await storeOf({ a: 3 })
    await edit(folder, 'index', async (index) => {
      const place = index.get(indexKey(1, 2)) as Buffer
      await index.put(indexKey(1, 1), Buffer.from(place))
    })
    await expectCorrupt(folder, 'is revision 2, not 1')
    await edit(folder, 'index', (index) => index.put(indexKey(1, 1), Buffer.alloc(8, 1)))
    await expectCorrupt(folder, 'is missing')
    expect(await messagesOf(folder)).toHaveLength(2)
  })

  test('an event that is missing from the log', async () => {
    const folder = await storeOf({ a: 3 })
    const places = await placesIn(folder)
    await edit(folder, 'log', (log) => log.remove(places[1] as never), { keyEncoding: 'ordered-binary' })
    await expectCorrupt(folder, 'is missing')
    expect(await messagesOf(folder)).toEqual([
      expect.stringContaining('records are missing before it'),
      expect.stringContaining('is revision 2 where 1 is due'),
      expect.stringContaining('the index names it as revision 1, and it is missing'),
    ])
  })

  test('an event that stands at another place', async () => {
    const folder = await storeOf({ a: 3 })
    const [, second = 0] = await placesIn(folder)
    const raw = { keyEncoding: 'ordered-binary' } as const
    await edit(
      folder,
      'log',
      (log) => log.put((second + 1) as never, Buffer.from(log.get(second as never) as Buffer)),
      raw,
    )
    await edit(folder, 'log', (log) => log.remove(second as never), raw)
    const reader = await openEmbeddedStore({ folder, readOnly: true })
    await expect(eventsOfLog(reader)).rejects.toThrow('fails its checksum')
    await reader.close()
    expect((await messagesOf(folder)).join()).toContain('fails its checksum')
  })

  test('a name, a head or the end of the log that fails its checksum', async () => {
    const folder = await storeOf({ a: 1, b: 1 })
    await edit(folder, 'names', (names) => names.put(Buffer.of(0, 0, 0, 1), Buffer.from('nonsense')))
    await expectCorrupt(folder, 'The head of stream "a" names another stream')
    await edit(folder, 'heads', (heads) => heads.put(headKeyOf('b'), Buffer.alloc(41)))
    const reader = await openEmbeddedStore({ folder, readOnly: true })
    await expect(reader.readStream('b')).rejects.toThrow('The head of stream "b" fails its checksum')
    await expect(eventsOfLog(reader)).rejects.toThrow('names a stream that cannot be read')
    await reader.close()
    await edit(folder, 'tail', (tail) => tail.put(Buffer.from('tail'), Buffer.alloc(16)))
    const writer = await openEmbeddedStore({ folder })
    await expect(writer.append('c', [anEvent()], 'any')).rejects.toThrow(
      'The record of where the log ends fails its checksum',
    )
    await writer.close()
    expect((await messagesOf(folder)).join('\n')).toMatch(/no readable name.*log ends fails its checksum.*"b" fails/s)
  })

  test('a tail that is behind the log lets nothing be overwritten', async () => {
    const folder = await storeOf({ a: 2 })
    await edit(folder, 'tail', (tail) => tail.remove(Buffer.from('tail')))
    const writer = await openEmbeddedStore({ folder })
    await expect(writer.append('a', [anEvent()], 'any')).rejects.toMatchObject({
      name: 'StoreCorruptError',
      message: expect.stringContaining('would stand before the end of the log'),
    })
    expect(await eventsOf(writer, 'a')).toHaveLength(2)
    await writer.close()
    expect(await messagesOf(folder)).toEqual([expect.stringContaining('The log should end at 1')])
  })

  test('a head that does not agree with the log, and one too many', async () => {
    const folder = await storeOf({ a: 2, b: 3, c: 1 })
    await edit(folder, 'heads', async (heads) => {
      const ofA = Buffer.from(heads.get(headKeyOf('a')) as Buffer)
      await heads.put(headKeyOf('a'), Buffer.from(heads.get(headKeyOf('c')) as Buffer))
      await heads.put(headKeyOf('d'), ofA)
    })
    const messages = (await messagesOf(folder)).join('\n')
    expect(messages).toContain('The head of stream "a" names another stream')
    expect(messages).toContain('There are 4 heads of 3 streams')
  })

  test('more problems than are told one by one are counted', async () => {
    const folder = await storeOf({ a: PROBLEMS_MAX + 20 })
    await edit(folder, 'index', (index) => index.clearAsync())
    const { problems, problemCount } = await checkFolder(folder)
    expect([problems.length, problemCount]).toEqual([PROBLEMS_MAX, PROBLEMS_MAX + 20])
  })
})

test('a whole store with deletes, tombstones and limits is found whole', async () => {
  const folder = await testFolder()
  const store = await openEmbeddedStore({ folder })
  for (const stream of ['a', 'b', 'c', 'd']) await store.append(stream, someEvents(2), 'noStream')
  await setMetadata(store, 'a', { $maxCount: 1, $maxAge: 10, $tb: 1 })
  await store.deleteStream('b', 'any')
  await store.deleteStream('c', 'any')
  await store.append('c', [anEvent()], 'any')
  await store.tombstone('d', 'any')
  await store.tombstone('never-was', 'any')
  await store.close()
  expect(await checkFolder(folder)).toEqual({ events: 15, streams: 8, problems: [], problemCount: 0 })
})

test('a data file that was cut short is told, even if only by the end of the process that checks it', async () => {
  const folder = await storeOf({ a: 2000 })
  await truncate(join(folder, 'data.mdb'), 16_384)
  const { code, signal, stdout } = await ended(startChild('check-one.mjs', [folder]))
  const clean = code === 0 && signal === null && stdout.includes('"problemCount":0')
  expect(clean).toBe(false)
})

test('two long names that would share a place are told apart by the whole name', async () => {
  const folder = await testFolder()
  const [first, second] = ['x'.repeat(3000), 'y'.repeat(3000)]
  const store = await openEmbeddedStore({ folder })
  await store.append(first, [anEvent()], 'noStream')
  await store.close()
  // As if both names had one hash: the first's head stands where the second's would go.
  await edit(folder, 'heads', (heads) =>
    heads.put(headKeyOf(second), Buffer.from(heads.get(headKeyOf(first)) as Buffer)),
  )
  const again = await openEmbeddedStore({ folder })
  expect(await again.readStream(second)).toEqual({ kind: 'missing' })
  expect(await again.append(second, someEvents(2), 'noStream')).toMatchObject({ revision: 1 })
  expect(await eventsOf(again, second)).toHaveLength(2)
  expect(await eventsOf(again, first)).toHaveLength(1)
  await again.close()
})

/** A store with streams of so many events each; streams are numbered from 1 in this order. */
async function storeOf(streams: Readonly<Record<string, number>>): Promise<string> {
  const folder = await testFolder()
  const store = await openEmbeddedStore({ folder })
  for (const [stream, count] of Object.entries(streams)) await store.append(stream, someEvents(count), 'noStream')
  await store.close()
  return folder
}

async function edit(
  folder: string,
  table: string,
  change: (database: Database<Buffer, Buffer>) => unknown,
  options: object = {},
): Promise<void> {
  const root = open({
    path: folder,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  })
  await change(root.openDB<Buffer, Buffer>(table, { encoding: 'binary', keyEncoding: 'binary', ...options }))
  await root.close()
}

async function placesIn(folder: string): Promise<number[]> {
  const reader = await openEmbeddedStore({ folder, readOnly: true })
  const places = (await eventsOfLog(reader)).map(({ position }) => Number(position.commit))
  await reader.close()
  return places
}

async function expectCorrupt(folder: string, message: string): Promise<void> {
  const reader = await openEmbeddedStore({ folder, readOnly: true })
  await expect(eventsOf(reader, 'a')).rejects.toMatchObject({
    name: 'StoreCorruptError',
    message: expect.stringContaining(message),
  })
  await reader.close()
}

async function messagesOf(folder: string): Promise<string[]> {
  return (await checkFolder(folder)).problems.map(({ message }) => message)
}

function headKeyOf(name: string): Buffer {
  return headKeys(name).next().value as Buffer
}

/** Flips a bit in every copy of a text in a file; LMDB may have left an older copy of the page. */
async function flipBitAfter(path: string, text: string): Promise<void> {
  const bytes = await readFile(path)
  let found = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 4
    found += 1
  }
  expect(found).toBeGreaterThan(0)
  await writeFile(path, bytes)
}
