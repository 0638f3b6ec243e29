// `makegood serve` as a person runs it: what it prints, what it refuses and in which words, how it ends.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults } from '@eventstore/db-client'
import { expect, it, onTestFinished } from 'vitest'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { eventsOf } from '../controls/events.js'
import { makeCertificate } from './certificate.js'
import { runServe, startServe, temporaryFolder } from './serve-process.js'
import { collect, connect } from './served.js'

const event = (n = 0) => jsonEvent({ type: 'Counted', data: { n } })

/** Files of a certificate, its key and a list of users. */
function securedFolder(): { cert: string; key: string; users: string } {
  const folder = temporaryFolder()
  const { cert, key } = makeCertificate()
  const files = { cert: join(folder, 'node.crt'), key: join(folder, 'node.key'), users: join(folder, 'users.json') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  writeFileSync(files.users, JSON.stringify([{ login: 'clerk', password: 'secret', groups: ['desk'] }]))
  return files
}

it('prints a connection string that works, and nothing else', async () => {
  const serving = await startServe(['--insecure', '--store', 'memory:'])
  const client = connect(serving.connectionString)
  await client.appendToStream('counts', event())
  expect(await collect(client.readStream('counts'))).toHaveLength(1)
  const { stdout, stderr } = await serving.end('SIGTERM')
  expect([stdout, stderr]).toEqual([`esdb://127.0.0.1:${serving.port}?tls=false\n`, ''])
})

it('keeps in its folder what it acknowledged', async () => {
  const folder = join(temporaryFolder(), 'store')
  const first = await startServe(['--insecure', '--store', folder])
  await connect(first.connectionString).appendToStream('counts', [event(0), event(1)])
  await first.end('SIGTERM')
  const second = await startServe(['--insecure'], { env: { MAKEGOOD_STORE: folder } })
  expect(await collect(connect(second.connectionString).readStream('counts'))).toHaveLength(2)
})

it.each([
  ['SIGTERM', 0],
  ['SIGINT', 130],
] as const)('ends on %s with %i', async (signal, code) => {
  const serving = await startServe(['--insecure', '--store', 'memory:'])
  expect(await serving.end(signal)).toMatchObject({ code, stderr: '' })
})

it('lets what it has begun end when it is told to stop, and loses nothing of it', async () => {
  const folder = join(temporaryFolder(), 'store')
  const serving = await startServe(['--insecure', '--store', folder])
  const client = connect(serving.connectionString)
  await client.appendToStream('first', event())
  const options = { credentials: { username: 'any', password: 'body' } }
  const appends = Array.from({ length: 300 }, (_, n) => client.appendToStream(`counts-${n}`, event(n), options))
  await Promise.race(appends)
  const end = serving.end('SIGTERM')
  const outcomes = await Promise.allSettled(appends)
  expect(await end).toMatchObject({ code: 0, stderr: '' })
  const store = await openEmbeddedStore({ folder, readOnly: true })
  onTestFinished(() => store.close())
  for (const [n, { status }] of outcomes.entries()) {
    if (status === 'fulfilled') expect(await eventsOf(store, `counts-${n}`)).toHaveLength(1)
  }
})

it('ends subscriptions with an error when it stops: an end without one would look like the end of the log', async () => {
  const serving = await startServe(['--insecure', '--store', 'memory:'])
  const client = connect(serving.connectionString)
  const settings = persistentSubscriptionToStreamSettingsFromDefaults()
  await client.createPersistentSubscriptionToStream('counts', 'group', settings)
  const subscriptions = [
    client.subscribeToAll(),
    client.subscribeToStream('counts'),
    client.subscribeToPersistentSubscriptionToStream('counts', 'group'),
  ] as const
  const confirmed = subscriptions.map((one) => new Promise((resolve) => one.once('confirmation', () => resolve(one))))
  await Promise.all(confirmed)
  const errors = subscriptions.map((one) => new Promise((resolve) => one.once('error', resolve)))
  expect(await serving.end('SIGTERM')).toMatchObject({ code: 0 })
  expect(await Promise.all(errors)).toMatchObject([
    { code: 13, message: expect.stringContaining('RST_STREAM with code 0') },
    { code: 13, message: expect.stringContaining('RST_STREAM with code 0') },
    { code: 1, type: 'persistent-subscription-dropped' },
  ])
})

it('serves with TLS to users that have a password', async () => {
  const { cert, key, users } = securedFolder()
  const serving = await startServe(['--cert', cert, '--key', key, '--users', users, '--store', 'memory:'])
  expect(serving.connectionString).toBe(`esdb://localhost:${serving.port}?tls=true`)
  const as = (user: string) =>
    connect(`${serving.connectionString.replace('//', `//${user}@`)}&tlsCAFile=${encodeURIComponent(cert)}`)
  await expect(as('clerk:secret').appendToStream('notes', event())).resolves.toMatchObject({ success: true })
  await expect(as('admin:changeit').appendToStream('$notes', event())).resolves.toMatchObject({ success: true })
  await expect(as('clerk:wrong').appendToStream('notes', event())).rejects.toMatchObject({ type: 'access-denied' })
})

it('names who has the port', async () => {
  const { port, pid } = await startServe(['--insecure', '--store', 'memory:'])
  const { code, stdout, stderr } = await runServe(['--insecure', '--store', 'memory:', '--port', String(port)])
  expect([code, stdout]).toEqual([69, ''])
  const holder = existsSync('/proc/net/tcp') ? `node (process ${pid})` : 'another process'
  expect(stderr).toBe(
    `makegood: Cannot listen on port ${port} of 127.0.0.1: ${holder} listens on it; stop it or choose another port, 0 for any free one\n`,
  )
})

it('says so where no network of this machine has the address', async () => {
  const { code, stderr } = await runServe(['--insecure', '--store', 'memory:', '--host', '192.0.2.1'])
  expect(code).toBe(69)
  expect(stderr).toBe('makegood: Cannot listen on port 2113 of 192.0.2.1: this machine has no such address\n')
})

it('does not make a store of a folder that holds something else', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'photos'))
  const { code, stderr } = await runServe(['--insecure', '--store', folder])
  expect(code).toBe(69)
  expect(stderr).toMatch(/^makegood: [^\n]+\n$/)
})

it.each([
  [
    'neither certificates nor --insecure',
    () => [],
    /needs a certificate and its key \(--cert FILE --key FILE\), or --insecure/,
  ],
  ['certificates and --insecure', () => ['--insecure', '--cert', 'a', '--key', 'b'], /exclude each other/],
  ['a certificate without a key', () => ['--cert', 'a'], /--key is missing/],
  ['users without TLS', () => ['--insecure', '--users', 'u.json'], /without TLS has no users/],
  [
    'a certificate that is not there',
    () => ['--cert', '/none', '--key', '/none'],
    /--cert \/none: cannot be read: no such file/,
  ],
  ['a certificate that is none', () => withCertificate('hello'), /certificate is not a PEM certificate/],
  ['a certificate that has expired', () => expired(), /certificate has expired on/],
  [
    'a key of another certificate',
    () => ['--cert', securedFolder().cert, '--key', securedFolder().key],
    /does not belong/,
  ],
  ['users that are none', () => withUsers('[{"login":"a"}]'), /--users .*: 0\.password: .*; expected \[/],
  ['users that are not JSON', () => withUsers('secret-word'), /--users .*: not JSON/],
  [
    'a server as its store',
    () => ['--insecure', '--store', 'esdb://admin:secret-word@host'],
    /name a folder, or memory:/,
  ],
  ['a port that is none', () => ['--insecure', '--port', '70000'], /--port 70000: expected a number up to 65535/],
  ['a size that is none', () => ['--insecure', '--max-append-size', '-1'], /--max-append-size/],
] as const)('refuses %s as wrong use', async (_name, args, words) => {
  const { code, stdout, stderr } = await runServe(['--store', 'memory:', ...args()])
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toMatch(words)
  expect(stderr).not.toContain('secret-word')
})

function withCertificate(cert: string, { key } = securedFolder()): string[] {
  const file = join(temporaryFolder(), 'cert.pem')
  writeFileSync(file, cert)
  return ['--cert', file, '--key', key]
}

function expired(): string[] {
  const folder = temporaryFolder()
  const { cert, key } = makeCertificate({ hasExpired: true })
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  return ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')]
}

function withUsers(text: string): string[] {
  const { cert, key, users } = securedFolder()
  writeFileSync(users, text)
  return ['--cert', cert, '--key', key, '--users', users]
}

it('takes the size of appends that it is given', async () => {
  const { connectionString } = await startServe(['--insecure', '--store', 'memory:', '--max-append-size', '100'])
  const client = connect(connectionString)
  const tooLarge = client.appendToStream('counts', jsonEvent({ type: 'Long', data: { text: 'x'.repeat(100) } }))
  await expect(tooLarge).rejects.toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 100 })
})
