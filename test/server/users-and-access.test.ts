// A server with TLS: certificates, users, and who may do what. The whole matrix of a real server is in observed.test.ts.
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startServer } from '../../src/server/start-server.js'
import { CertificateError } from '../../src/server/transport/certificates.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { makeCertificate } from './certificate.js'
import { collect, type Served, serve } from './served.js'

const TLS = makeCertificate()

/** A client of a user; without one, of nobody. */
function clientOf({ port }: Served, user?: { login: string; password: string }): EventStoreDBClient {
  const client = new EventStoreDBClient(
    { endpoint: { address: 'localhost', port } },
    { rootCertificate: Buffer.from(TLS.cert) },
    user && { username: user.login, password: user.password },
  )
  onTestFinished(() => client.dispose())
  return client
}

const ADMIN = { login: 'admin', password: 'changeit' }
const CLERK = { login: 'clerk', password: 'secret', groups: ['desk'] }
const event = () => jsonEvent({ type: 'Noted', data: {} })

describe('users', () => {
  it.each([ADMIN, { login: 'ops', password: 'changeit' }])('$login is there from the start', async (user) => {
    const served = await serve({ tls: TLS })
    await expect(clientOf(served, user).appendToStream('notes', event())).resolves.toMatchObject({ success: true })
  })

  it.each([
    ['with a wrong password', { login: 'admin', password: 'wrong' }, 16],
    ['that are not there', { login: 'nobody', password: 'changeit' }, 16],
    ['that do not say who they are', undefined, 7],
  ])('%s are kept out', async (_name, user, code) => {
    const served = await serve({ tls: TLS })
    const client = clientOf(served, user)
    await expect(collect(client.readAll({ maxCount: 1 }))).rejects.toMatchObject({ type: 'access-denied', code })
    await expect(client.appendToStream('notes', event())).rejects.toMatchObject({ type: 'access-denied' })
  })

  it('outlive a restart with the password that they were given', async () => {
    const store = openMemoryStore()
    const first = await serve({ tls: TLS, store, users: [CLERK] })
    await clientOf(first, CLERK).appendToStream('notes', event())
    await first.stop()
    const second = await serve({ tls: TLS, store, users: [{ ...CLERK, password: 'another' }] })
    await expect(clientOf(second, CLERK).appendToStream('notes', event())).resolves.toMatchObject({ success: true })
  })
})

describe('access', () => {
  it('follows the lists in the metadata of a stream', async () => {
    const served = await serve({ tls: TLS, users: [CLERK] })
    const admin = clientOf(served, ADMIN)
    await admin.appendToStream('drawer', event())
    await admin.setStreamMetadata('drawer', { acl: { readRoles: ['desk'], writeRoles: ['$admins'] } })
    const clerk = clientOf(served, CLERK)
    expect(await collect(clerk.readStream('drawer'))).toHaveLength(1)
    await expect(clerk.appendToStream('drawer', event())).rejects.toMatchObject({ type: 'access-denied' })
    await expect(admin.appendToStream('drawer', event())).resolves.toMatchObject({ success: true })
  })

  it('follows the defaults in $settings where a stream has no list', async () => {
    const served = await serve({ tls: TLS, users: [CLERK] })
    const admin = clientOf(served, ADMIN)
    const clerk = clientOf(served, CLERK)
    await clerk.appendToStream('open', event())
    const data = { $userStreamAcl: { $r: '$all', $w: ['desk-leads'] }, $systemStreamAcl: { $r: ['desk'] } }
    await admin.appendToStream('$settings', jsonEvent({ type: 'update-default-acl', data }))
    expect(await collect(clerk.readStream('open'))).toHaveLength(1)
    await expect(clerk.appendToStream('open', event())).rejects.toMatchObject({ type: 'access-denied' })
    expect(await collect(clerk.readAll({ maxCount: 1 }))).toHaveLength(1)
  })

  it('does not let a link show what its reader may not see', async () => {
    const served = await serve({ tls: TLS, users: [CLERK] })
    const admin = clientOf(served, ADMIN)
    await admin.appendToStream('safe', event())
    await admin.setStreamMetadata('safe', { acl: { readRoles: ['$admins'] } })
    const link = { id: crypto.randomUUID(), type: '$>', contentType: 'application/octet-stream' as const }
    await served.store.append('window', [{ ...link, data: Buffer.from('0@safe'), metadata: Buffer.alloc(0) }], 'any')
    const [seen] = await collect(clientOf(served, CLERK).readStream('window', { resolveLinkTos: true }))
    expect(seen?.event).toBeUndefined()
    expect(seen?.link?.streamId).toBe('window')
    const [whole] = await collect(admin.readStream('window', { resolveLinkTos: true }))
    expect(whole?.event?.streamId).toBe('safe')
  })
})

describe('certificates', () => {
  it.each([
    ['not a certificate', { cert: 'hello', key: TLS.key }, /certificate is not a PEM certificate/],
    ['not a key', { cert: TLS.cert, key: 'hello' }, /key is not a PEM private key/],
    ['the key of another certificate', { cert: TLS.cert, key: makeCertificate().key }, /does not belong/],
    ['no longer valid', makeCertificate({ hasExpired: true }), /expired/],
  ])('that are %s are refused in words, before anything listens', async (_name, tls, words) => {
    const starting = startServer({ store: openMemoryStore(), tls })
    await expect(starting).rejects.toSatisfy((error) => error instanceof CertificateError && words.test(error.message))
  })
})
