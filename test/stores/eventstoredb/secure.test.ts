// TLS, users and certificates; and that no password is ever told to anybody but the server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type RunningServer, type ServerOptions, startServer } from '../../../src/server/start-server.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { setMetadata } from '../../contract/metadata-contract.js'
import { anEvent, eventsOf, eventsOfLog } from '../../controls/events.js'
import { makeCertificate } from '../../server/certificate.js'
import { open } from './opened.js'
import { APPEND, READ, type StubCall, startStub } from './stub-server.js'

const TLS = makeCertificate()
const SECRET = 'c4nary:p@ss%'
const CLERK = { login: 'clerk@desk é', password: SECRET, groups: ['desk'] }
const AS_CLERK = `${encodeURIComponent(CLERK.login)}:${encodeURIComponent(SECRET)}@`

let folder: string
let caFile: string
const printed: string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'makegood-tls-'))
  caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, TLS.cert)
  printed.length = 0
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed.push(String(chunk))
      return true
    })
  }
  for (const method of ['warn', 'error', 'log'] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => void printed.push(words.join(' ')))
  }
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
  expect(printed.join('\n')).not.toContain('c4nary')
})

async function serve(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const store = openMemoryStore()
  const server = await startServer({ store, tls: TLS, drainMs: 500, ...options })
  onTestFinished(async () => {
    await server.stop()
    await store.close()
  })
  return server
}

function urlOf(
  { port }: { port: number },
  { user = '', options = `tlsCAFile=${encodeURIComponent(caFile)}` } = {},
): string {
  return `esdb://${user}localhost:${port}?${options}&maxDiscoverAttempts=2&discoveryInterval=1`
}

/** The error of opening a store, which must not tell any secret. */
async function failureOf(url: string): Promise<Error> {
  const error: Error = await open(url).then(
    () => new Error('It was opened'),
    (thrown: Error) => thrown,
  )
  const texts = [error.message, error.stack, String(error.cause), JSON.stringify(error)]
  for (const text of texts) expect(text ?? '').not.toContain('c4nary')
  return error
}

describe('a store over TLS', () => {
  test('is written and read by a user whose name and password hold any character', async () => {
    const server = await serve({ users: [CLERK] })
    const store = await open(urlOf(server, { user: AS_CLERK }))
    expect(await store.append('notes-1', [anEvent()], 'noStream')).toMatchObject({ kind: 'appended' })
    expect(await eventsOf(store, 'notes-1')).toHaveLength(1)
    const admin = await open(urlOf(server, { user: 'admin:changeit@' }))
    expect(await eventsOfLog(admin, { filter: { streamPrefixes: ['notes-'] } })).toHaveLength(1)
  })

  test('refuses what its user may not do, as a value where it is a write', async () => {
    const server = await serve({ users: [CLERK] })
    const admin = await open(urlOf(server, { user: 'admin:changeit@' }))
    await admin.append('secret-1', [anEvent()], 'any')
    await setMetadata(admin, 'secret-1', { $acl: { $r: '$admins', $w: '$admins', $d: '$admins' } })
    const store = await open(urlOf(server, { user: AS_CLERK }))
    const denied = { kind: 'refused', reason: 'access-denied' }
    expect(await store.append('secret-1', [anEvent()], 'any')).toMatchObject(denied)
    expect(await store.deleteStream('secret-1', 'any')).toMatchObject(denied)
    await expect(store.readStream('secret-1')).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: expect.stringContaining('access denied'),
    })
    await expect(eventsOfLog(store)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
  })

  test('is not opened with a wrong password, and is asked once', async () => {
    const server = await serve()
    const error = await failureOf(urlOf(server, { user: 'admin:c4nary@' }))
    expect(error).toMatchObject({ name: 'StoreUnavailableError' })
    expect(error.message).toBe(`esdb://***@localhost:${server.port}: user or password is wrong`)
  })

  test.each([
    ['whose authority nobody named', '', 'name it with tlsCAFile', 'StoreUnavailableError'],
    ['where tls=false is said', 'tls=false', 'use TLS and', 'StoreUnavailableError'],
    ['whose CA file is not there', 'tlsCAFile=%2Fnowhere.pem', 'tlsCAFile: ENOENT', 'StoreAddressError'],
  ])('%s says what is wrong', async (_title, options, words, name) => {
    const server = await serve()
    const user = options === 'tls=false' ? '' : 'admin:c4nary@'
    const error = await failureOf(urlOf(server, { user, options }))
    expect(error.message).toContain(words)
    expect(error.name).toBe(name)
  })

  test.each([
    ['tlsCAFile', ''],
    ['tlsCAFile', 'no certificate'],
    ['userCertFile', 'no certificate'],
    ['userKeyFile', 'no key'],
  ])('whose %s holds %j is not opened, and the file is named by its option', async (option, content) => {
    const file = join(folder, 'wrong.pem')
    const key = join(folder, 'key.pem')
    writeFileSync(file, content)
    writeFileSync(key, TLS.key)
    const files = { userCertFile: caFile, userKeyFile: key, [option]: file }
    const options = Object.entries(files).map(([name, path]) => `${name}=${encodeURIComponent(path)}`)
    const error = await failureOf(urlOf({ port: 1 }, { options: options.join('&') }))
    expect([error.name, error.message]).toEqual(['StoreAddressError', expect.stringContaining(`${option}: `)])
  })

  test('is not opened where the server has no TLS: no password gets there', async () => {
    const server = await startServer({ store: openMemoryStore() })
    onTestFinished(() => server.stop())
    const error = await failureOf(urlOf(server, { user: 'admin:c4nary@' }))
    expect(error.message).toContain('it does not use TLS')
  })

  test('shows its user certificate, for writing and for reading', async () => {
    const shown: string[] = []
    const note = (call: StubCall) => {
      const socket = call.stream.session?.socket as TLSSocket
      shown.push(`${call.path.split('/').at(-1)} ${socket.getPeerCertificate().subject?.CN}`)
    }
    const stub = await startStub(
      {
        [READ]: (call) => {
          note(call)
          call.end()
        },
        [APPEND]: async (call) => {
          note(call)
          await call.request()
          call.send(new streams.AppendResp().setSuccess(new streams.AppendResp.Success()).serializeBinary())
          call.end()
        },
      },
      { tls: TLS },
    )
    const [certFile, keyFile] = [join(folder, 'user.pem'), join(folder, 'user.key')]
    writeFileSync(certFile, TLS.cert)
    writeFileSync(keyFile, TLS.key)
    const files = { tlsCAFile: caFile, userCertFile: certFile, userKeyFile: keyFile }
    const options = Object.entries(files).map(([name, file]) => `${name}=${encodeURIComponent(file)}`)
    const store = await open(urlOf(stub, { options: options.join('&') }))
    await store.append('s-1', [anEvent()], 'any')
    await store.readStream('s-1')
    expect([...new Set(shown)]).toEqual(['Append localhost', 'Read localhost'])
  })
})
