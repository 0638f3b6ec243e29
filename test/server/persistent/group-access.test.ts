// Who may do what with groups on a server with users.
import { EventStoreDBClient, persistentSubscriptionToStreamSettingsFromDefaults, START } from '@eventstore/db-client'
import { expect, it, onTestFinished } from 'vitest'
import { makeCertificate } from '../certificate.js'
import { type Served, serve } from '../served.js'
import { appendNumbers, consume, createGroup, until } from './groups.js'

const TLS = makeCertificate()
const ADMIN = { username: 'admin', password: 'changeit' }
const OPERATOR = { username: 'ops', password: 'changeit' }
const CLERK = { username: 'clerk', password: 'secret' }
const DENIED = { type: 'access-denied', code: 7 }

function clientOf({ port }: Served, user?: { username: string; password: string }): EventStoreDBClient {
  const client = new EventStoreDBClient(
    { endpoint: { address: 'localhost', port } },
    { rootCertificate: Buffer.from(TLS.cert) },
    user,
  )
  onTestFinished(() => client.dispose())
  return client
}

async function serveGroup() {
  const served = await serve({ tls: TLS, users: [{ login: CLERK.username, password: CLERK.password }] })
  const admin = clientOf(served, ADMIN)
  await appendNumbers(admin, 'orders', [0, 1])
  await createGroup(admin, 'orders')
  return { served, admin, clerk: clientOf(served, CLERK), nobody: clientOf(served) }
}

it('operators make, change, replay, restart and delete groups, and no others do', async () => {
  const { served, clerk, nobody } = await serveGroup()
  const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START })
  const all = (client: EventStoreDBClient) => [
    () => client.updatePersistentSubscriptionToStream('orders', 'clerks', settings),
    () => client.replayParkedMessagesToStream('orders', 'clerks'),
    () => client.restartPersistentSubscriptionSubsystem(),
    () => client.deletePersistentSubscriptionToStream('orders', 'clerks'),
    () => client.createPersistentSubscriptionToStream('orders', 'clerks', settings),
    () => client.createPersistentSubscriptionToStream('orders', 'others', settings),
  ]
  for (const denied of [...all(clerk), ...all(nobody)]) await expect(denied()).rejects.toMatchObject(DENIED)
  for (const allowed of all(clientOf(served, OPERATOR))) await expect(allowed()).resolves.toBeUndefined()
})

it('users may look at groups, and who is nobody may not', async () => {
  const { clerk, nobody } = await serveGroup()
  await expect(clerk.getPersistentSubscriptionToStreamInfo('orders', 'clerks')).resolves.toMatchObject({
    status: 'Live',
  })
  await expect(nobody.getPersistentSubscriptionToStreamInfo('orders', 'clerks')).rejects.toMatchObject(DENIED)
  await expect(nobody.listAllPersistentSubscriptions()).rejects.toMatchObject(DENIED)
})

it('who may read a stream may consume it, under their name, and who may not is denied', async () => {
  const { admin, clerk, nobody } = await serveGroup()
  const { got } = consume(clerk, 'orders')
  await until(() => got.length === 2)
  const { connections } = await admin.getPersistentSubscriptionToStreamInfo('orders', 'clerks')
  expect(connections).toMatchObject([{ username: 'clerk' }])
  const stranger = consume(nobody, 'orders')
  await until(() => stranger.errors.length > 0)
  expect(stranger.errors).toMatchObject([DENIED])
  await admin.setStreamMetadata('orders', { acl: { readRoles: ['$admins'] } })
  const locked = consume(clerk, 'orders')
  await until(() => locked.errors.length > 0)
  expect(locked.errors).toMatchObject([DENIED])
})
