// A disk that is full under `makegood serve`: appends are refused with a clear status, nothing is half-written, and reading goes on.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { binaryEvent, type EventStoreDBClient } from '@eventstore/db-client'
import { expect, test } from 'vitest'
import { startServe, temporaryFolder } from './serve-process.js'
import { collect, connect } from './served.js'

const RESOURCE_EXHAUSTED = 8
const UNAVAILABLE = 14

/** Credentials make the client use the plain Append call. */
const PLAIN = { credentials: { username: 'any', password: 'body' } }

const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0

test('a file that may not grow any further', async () => {
  const client = await serveIn(join(temporaryFolder(), 'store'), 'ulimit -f 4000 && exec "$@"')
  // LMDB does not say why so little could be written.
  await expectRefusals(client, { code: UNAVAILABLE, reason: /cannot be written/ })
})

test.skipIf(!canMount)('a disk that is full (needs the right to mount a tmpfs)', async () => {
  const disk = join(temporaryFolder(), 'disk')
  mkdirSync(disk)
  const mounted = `exec unshare -rm sh -c 'mount -t tmpfs -o size=6m tmpfs "${disk}" && exec "$@"' sh "$@"`
  const client = await serveIn(join(disk, 'store'), mounted)
  // A client that were told that the server is unavailable would take it for gone.
  await expectRefusals(client, { code: RESOURCE_EXHAUSTED, reason: /the disk is full/ })
})

async function serveIn(folder: string, shell: string): Promise<EventStoreDBClient> {
  const { connectionString } = await startServe(['--insecure', '--store', folder], { shell })
  return connect(connectionString)
}

async function expectRefusals(
  client: EventStoreDBClient,
  { code, reason }: { code: number; reason: RegExp },
): Promise<void> {
  const event = () => binaryEvent({ type: 'Large', data: Buffer.alloc(100_000) })
  let acknowledged = 0
  const fill = async () => {
    for (; acknowledged < 1_000; acknowledged++) await client.appendToStream('large', event(), PLAIN)
  }
  await expect(fill()).rejects.toMatchObject({ code, message: expect.stringMatching(reason) })
  await expect(client.appendToStream('large', event())).rejects.toThrow()
  expect(acknowledged).toBeGreaterThan(3)
  expect(await collect(client.readStream('large'))).toHaveLength(acknowledged)
}
