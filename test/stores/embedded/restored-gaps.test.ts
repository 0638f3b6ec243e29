// Gaps that were restored with a log outlive a restart and are sound to the checker; a gap whose record is damaged is found out.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RestorableStore } from '../../../src/log/restorable-store.js'
import { StoreCorruptError } from '../../../src/log/store-errors.js'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { encodeGap } from '../../../src/stores/embedded/head-record.js'
import { anEvent, eventsOf } from '../../controls/events.js'
import { testFolder } from './child.js'

/** A revision that no other record of the test holds, so that its bytes are found in the file. */
const BEHIND_GAP = 123_456_789

async function storeWithGap(): Promise<string> {
  const folder = await testFolder()
  const store = await openEmbeddedStore({ folder })
  await restoreAt(store, [2, BEHIND_GAP, BEHIND_GAP + 1])
  await store.close()
  return folder
}

async function restoreAt(store: RestorableStore, revisions: readonly number[]): Promise<void> {
  const events = revisions.map((revision) => ({ ...anEvent(), stream: 'a', revision, created: 0n }))
  expect(await store.restore(events)).toMatchObject({ kind: 'restored', added: revisions.length })
}

test('a gap is read across after a restart, and the checker finds the store sound', async () => {
  const folder = await storeWithGap()
  const store = await openEmbeddedStore({ folder, readOnly: true })
  const revisions = (await eventsOf(store, 'a')).map(({ revision }) => revision)
  await store.close()
  expect(revisions).toEqual([2, BEHIND_GAP, BEHIND_GAP + 1])
  expect(await checkFolder(folder)).toEqual({ events: 3, streams: 1, problems: [], problemCount: 0 })
})

test('a damaged record of a gap is told by the checker and by the reading', async () => {
  const folder = await storeWithGap()
  const file = join(folder, 'data.mdb')
  const bytes = readFileSync(file)
  const at = bytes.indexOf(encodeGap(BEHIND_GAP))
  expect(at).toBeGreaterThan(0)
  bytes.writeUInt8(bytes.readUInt8(at + 4) ^ 1, at + 4)
  writeFileSync(file, bytes)
  expect((await checkFolder(folder)).problemCount).toBeGreaterThan(0)
  const store = await openEmbeddedStore({ folder, readOnly: true })
  await expect(eventsOf(store, 'a')).rejects.toThrow(StoreCorruptError)
  await store.close()
})
