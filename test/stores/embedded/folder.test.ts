// Which folders are taken for a store, what is refused by name, and that nothing is made before the first append.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import { expect, test } from 'vitest'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { anEvent, eventsOf, eventsOfLog, someEvents } from '../../controls/events.js'
import { testFolder } from './child.js'

const RAW = { noSubdir: false, encoding: 'binary', keyEncoding: 'binary' } as const

test('reading a folder that is not there is refused and makes nothing', async () => {
  const folder = join(await testFolder(), 'deep', 'store')
  await expect(openEmbeddedStore({ folder, readOnly: true })).rejects.toThrow(`${folder} holds no store`)
  await expect(openEmbeddedStore({ folder, create: false })).rejects.toMatchObject({ name: 'StoreUnavailableError' })
  await expect(checkFolder(folder)).rejects.toThrow(`${folder} holds no store`)
  expect(existsSync(join(folder, '..'))).toBe(false)
})

test('opened for writing it reads as empty, and is made by the first append, with the folders above it', async () => {
  const folder = join(await testFolder(), 'deep', 'store.v1')
  const store = await openEmbeddedStore({ folder })
  expect(await store.readStream('a')).toEqual({ kind: 'missing' })
  expect(await eventsOfLog(store)).toEqual([])
  expect(await eventsOfLog(store, { direction: 'backwards' })).toEqual([])
  await expect(eventsOfLog(store, { from: { commit: 5n, prepare: 5n }, direction: 'backwards' })).rejects.toMatchObject(
    {
      name: 'InvalidPositionError',
    },
  )
  expect(existsSync(join(folder, '..'))).toBe(false)
  await store.append('a', [anEvent()], 'noStream')
  expect((await readdir(folder)).sort()).toEqual(['data.mdb', 'lock.mdb'])
  await store.close()
})

test('an empty folder, or what a making that was cut short left, is made a store', async () => {
  const folder = await testFolder()
  await writeFile(join(folder, 'data.mdb'), '')
  await writeFile(join(folder, 'lock.mdb'), '')
  const store = await openEmbeddedStore({ folder })
  expect(await store.append('a', [anEvent()], 'noStream')).toMatchObject({ kind: 'appended' })
  await store.close()
  expect(await checkFolder(folder)).toEqual({ events: 1, streams: 1, problems: [], problemCount: 0 })
})

test('a store without its tables yet, as a maker that was killed leaves it, is finished by the next writer', async () => {
  const folder = await testFolder()
  const root = open({ path: folder, ...RAW })
  await root.put(Buffer.from('layout'), Buffer.from('makegood embedded store, layout 1'))
  await root.close()
  await expect(openEmbeddedStore({ folder, readOnly: true })).rejects.toThrow('is being made by another process')
  const store = await openEmbeddedStore({ folder })
  expect(await store.append('a', [anEvent()], 'noStream')).toMatchObject({ kind: 'appended' })
  await store.close()
})

test.each([
  ['holds other files', async (folder: string) => writeFile(join(folder, 'letter.txt'), 'hello')],
  ['has a data file of text', async (folder: string) => writeFile(join(folder, 'data.mdb'), 'hello')],
  ['has a data file of zeroes', async (folder: string) => writeFile(join(folder, 'data.mdb'), Buffer.alloc(100_000))],
  [
    "holds another program's LMDB",
    async (folder: string) => {
      const other = open({ path: folder, ...RAW })
      await other.put(Buffer.from('theirs'), Buffer.from('value'))
      await other.close()
    },
  ],
])('a folder that %s is refused and left as it was', async (_title, fill) => {
  const folder = await testFolder()
  await fill(folder)
  const before = await contentOf(folder)
  for (const options of [{}, { readOnly: true }, { create: false }]) {
    await expect(openEmbeddedStore({ folder, ...options })).rejects.toThrow(
      `${folder} holds something else than a Makegood store, or a damaged one`,
    )
  }
  await expect(checkFolder(folder)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
  expect(await contentOf(folder)).toEqual(before)
})

test.each([
  ['2', 'use the Makegood that wrote it, or a newer one'],
  ['0', 'export it with the Makegood that wrote it and import it with this one'],
])('layout %s is refused by its number, with what to do', async (layout, remedy) => {
  const folder = await testFolder()
  const store = await openEmbeddedStore({ folder })
  await store.append('a', [anEvent()], 'noStream')
  await store.close()
  const root = open({ path: folder, ...RAW })
  await root.put(Buffer.from('layout'), Buffer.from(`makegood embedded store, layout ${layout}`))
  await root.close()
  const message = `${folder} is a store of layout ${layout}, this program knows layout 1: ${remedy}`
  for (const readOnly of [true, false]) {
    await expect(openEmbeddedStore({ folder, readOnly })).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message,
    })
  }
})

test('a file in place of a folder, and a folder below a file, are refused in one line', async () => {
  const file = join(await testFolder(), 'file')
  await writeFile(file, 'x')
  await expect(openEmbeddedStore({ folder: file })).rejects.toThrow(`${file} cannot be read`)
  const below = await openEmbeddedStore({ folder: join(file, 'store') })
  await expect(below.append('a', [anEvent()], 'any')).rejects.toThrow(`${join(file, 'store')} cannot be made`)
  await below.close()
})

test('opened for reading only it refuses every write', async () => {
  const folder = await testFolder()
  const writer = await openEmbeddedStore({ folder })
  await writer.append('a', someEvents(2), 'noStream')
  const reader = await openEmbeddedStore({ folder, readOnly: true })
  expect(await eventsOf(reader, 'a')).toHaveLength(2)
  const message = `${folder} was opened for reading only`
  await expect(reader.append('a', [anEvent()], 'any')).rejects.toThrow(message)
  await expect(reader.deleteStream('a', 'any')).rejects.toThrow(message)
  await expect(reader.tombstone('a', 'any')).rejects.toThrow(message)
  await Promise.all([reader.close(), writer.close()])
})

test('closing waits for appends under way', async () => {
  const folder = await testFolder()
  const store = await openEmbeddedStore({ folder })
  const appends = Promise.all(Array.from({ length: 50 }, () => store.append('a', [anEvent()], 'any')))
  await store.close()
  expect((await appends).every(({ kind }) => kind === 'appended')).toBe(true)
  const again = await openEmbeddedStore({ folder, readOnly: true })
  expect(await eventsOf(again, 'a')).toHaveLength(50)
  await again.close()
})

async function contentOf(folder: string): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true })
  const files = (await readdir(folder)).filter((file) => file !== 'lock.mdb').sort()
  const contents = await Promise.all(
    files.map(async (file) => [file, (await readFile(join(folder, file))).toString('hex')]),
  )
  return Object.fromEntries(contents) as Record<string, string>
}
