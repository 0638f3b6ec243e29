// A disk or a file that is full: appends are refused in one line, nothing is half-written, and reading goes on.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { eventsOf } from '../../controls/events.js'
import { type Ended, ended, startInShell, testFolder } from './child.js'

const EVENT_BYTES = '100000'

test('a file that may not grow any further', async () => {
  const folder = join(await testFolder(), 'store')
  const run = await ended(
    startInShell('ulimit -f 4000 && exec "$@"', 'append-some.mjs', [folder, 'a', '1000', EVENT_BYTES]),
  )
  const acknowledged = expectRefusal(run, folder, /^.* cannot be written: .+$/)
  const store = await openEmbeddedStore({ folder })
  expect(await eventsOf(store, 'a')).toHaveLength(acknowledged * 2)
  await store.close()
  expect(await checkFolder(folder)).toMatchObject({ problems: [] })
})

const inNamespace = (script: string) => ['unshare', ['-rm', 'sh', '-c', script]] as const
const canMount = spawnSync(...inNamespace('mount -t tmpfs tmpfs /mnt')).status === 0

test.skipIf(!canMount)('a disk that is full (needs the right to mount a tmpfs)', async () => {
  const folder = join(await testFolder(), 'disk')
  const script = `exec unshare -rm sh -c 'mkdir "${folder}" && mount -t tmpfs -o size=6m tmpfs "${folder}" && exec "$@"' sh "$@"`
  const run = await ended(startInShell(script, 'append-some.mjs', [join(folder, 'store'), 'a', '1000', EVENT_BYTES]))
  expectRefusal(run, join(folder, 'store'), /cannot be written: the disk is full$/)
})

/** The appends before the limit were acknowledged and are read in full; the next one is an error of one line. */
function expectRefusal({ code, stdout }: Ended, folder: string, message: RegExp): number {
  expect(code).toBe(0)
  const report = JSON.parse(stdout) as {
    acknowledged: number
    readable: number
    failure: { name: string; message: string }
  }
  expect(report.acknowledged).toBeGreaterThan(3)
  expect(report.readable).toBe(report.acknowledged * 2)
  expect(report.failure.name).toBe('StoreUnavailableError')
  expect(report.failure.message).toMatch(message)
  expect(report.failure.message.startsWith(folder)).toBe(true)
  return report.acknowledged
}
