// Who may see and change system projections on a server with users.
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect, it, onTestFinished } from 'vitest'
import { makeCertificate } from '../certificate.js'
import { until } from '../persistent/groups.js'
import { collect, type Served, serve } from '../served.js'

const TLS = makeCertificate()
const CLERK = { login: 'clerk', password: 'secret', groups: ['desk'] }

function clientOf({ port }: Served, user?: { login: string; password: string }): EventStoreDBClient {
  const credentials = user && { username: user.login, password: user.password }
  const endpoint = { address: 'localhost', port }
  const client = new EventStoreDBClient({ endpoint }, { rootCertificate: Buffer.from(TLS.cert) }, credentials)
  onTestFinished(() => client.dispose())
  return client
}

function serveUsers(): Promise<Served> {
  return serve({ tls: TLS, users: [CLERK], systemProjections: true })
}

it('every user reads what projections write, and sees no event that is kept from them', async () => {
  const served = await serveUsers()
  const admin = clientOf(served, { login: 'admin', password: 'changeit' })
  await admin.appendToStream('cat-open', jsonEvent({ type: 'Noted', data: {} }))
  await admin.appendToStream('cat-shut', jsonEvent({ type: 'Noted', data: {} }))
  await admin.setStreamMetadata('cat-shut', { acl: { readRoles: ['$admins'] } })
  const clerk = clientOf(served, CLERK)
  await until(async () => (await clerk.listProjections()).every(({ progress }) => progress === 100))
  const read = (client: EventStoreDBClient) => collect(client.readStream('$ce-cat', { resolveLinkTos: true }))
  const seen = async (client: EventStoreDBClient) => (await read(client)).map(({ event }) => event?.streamId)
  expect(await seen(admin)).toEqual(['cat-open', 'cat-shut'])
  expect(await seen(clerk)).toEqual(['cat-open', undefined])
  await expect(read(clientOf(served))).rejects.toMatchObject({ type: 'access-denied' })
  await expect(clerk.appendToStream('$ce-cat', jsonEvent({ type: 'Mine', data: {} }))).rejects.toMatchObject({
    type: 'access-denied',
  })
})

it.each([
  ['nobody', undefined, { looks: false, changes: false }],
  ['a user', CLERK, { looks: true, changes: false }],
  ['an operator', { login: 'ops', password: 'changeit' }, { looks: true, changes: true }],
] as const)('%s', async (_who, user, { looks, changes }) => {
  const client = clientOf(await serveUsers(), user)
  const outcome = (call: Promise<unknown>) =>
    call.then(
      () => 'done',
      (error) => error.type,
    )
  const expected = (allowed: boolean) => (allowed ? 'done' : 'access-denied')
  expect(await outcome(client.listProjections())).toBe(expected(looks))
  expect(await outcome(client.getProjectionState('$streams'))).toBe(expected(looks))
  expect(await outcome(client.disableProjection('$streams'))).toBe(expected(changes))
  expect(await outcome(client.enableProjection('$streams'))).toBe(expected(changes))
  expect(await outcome(client.resetProjection('$streams'))).toBe(expected(changes))
  expect(await outcome(client.restartSubsystem())).toBe(expected(changes))
})
