// The life of users over the wire: made, changed, kept out, let in again and deleted; what they may do follows at once.
import users from '@eventstore/db-client/generated/users_pb.js'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { expect, it, onTestFinished } from 'vitest'
import { makeCertificate } from '../certificate.js'
import { type Served, serve } from '../served.js'
import { logOf } from '../system-projections/expected-links.js'

const TLS = makeCertificate()
const USERS = '/event_store.client.users.Users'

interface Login {
  readonly login: string
  readonly password: string
}

const ADMIN: Login = { login: 'admin', password: 'changeit' }
const CLERK: Login = { login: 'clerk', password: 'canary-one' }

/** The calls of one user; each gives its status, and what came with it. */
class Caller {
  readonly #client: Client
  readonly #metadata = new Metadata()

  constructor({ port }: Served, user?: Login) {
    this.#client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(TLS.cert)))
    if (user) this.#metadata.set('authorization', `Basic ${btoa(`${user.login}:${user.password}`)}`)
    onTestFinished(() => this.#client.close())
  }

  call(method: string, message: { serializeBinary(): Uint8Array }): Promise<number> {
    return new Promise((resolve) => {
      const done = (error: { code: number } | null) => resolve(error?.code ?? 0)
      this.#client.makeUnaryRequest(`${USERS}/${method}`, bytesOf, (bytes) => bytes, message, this.#metadata, done)
    })
  }

  create({ login, password }: Login, groups: string[] = []): Promise<number> {
    const options = new users.CreateReq.Options().setLoginName(login).setPassword(password).setGroupsList(groups)
    return this.call('Create', new users.CreateReq().setOptions(options.setFullName('A Clerk')))
  }

  changePassword(login: string, change: { from: string; to: string }): Promise<number> {
    const options = new users.ChangePasswordReq.Options().setLoginName(login)
    options.setCurrentPassword(change.from).setNewPassword(change.to)
    return this.call('ChangePassword', new users.ChangePasswordReq().setOptions(options))
  }

  resetPassword({ login, password }: Login): Promise<number> {
    const options = new users.ResetPasswordReq.Options().setLoginName(login).setNewPassword(password)
    return this.call('ResetPassword', new users.ResetPasswordReq().setOptions(options))
  }

  update(login: string, groups: string[]): Promise<number> {
    const options = new users.UpdateReq.Options().setLoginName(login).setFullName('Another').setGroupsList(groups)
    return this.call('Update', new users.UpdateReq().setOptions(options))
  }

  disable(login: string): Promise<number> {
    return this.call('Disable', new users.DisableReq().setOptions(new users.DisableReq.Options().setLoginName(login)))
  }

  enable(login: string): Promise<number> {
    return this.call('Enable', new users.EnableReq().setOptions(new users.EnableReq.Options().setLoginName(login)))
  }

  delete(login: string): Promise<number> {
    return this.call('Delete', new users.DeleteReq().setOptions(new users.DeleteReq.Options().setLoginName(login)))
  }

  /** Details of one user, or of all where none is named; a number is a status. */
  details(login = ''): Promise<users.DetailsResp.UserDetails.AsObject[] | number> {
    const message = new users.DetailsReq().setOptions(new users.DetailsReq.Options().setLoginName(login))
    const read = (bytes: Buffer) => users.DetailsResp.deserializeBinary(bytes).getUserDetails()?.toObject()
    const found: users.DetailsResp.UserDetails.AsObject[] = []
    return new Promise((resolve) => {
      const stream = this.#client.makeServerStreamRequest(`${USERS}/Details`, bytesOf, read, message, this.#metadata)
      stream.on('data', (details) => found.push(details))
      stream.on('error', (error: Error & { code: number }) => resolve(error.code))
      stream.on('end', () => resolve(found))
    })
  }
}

function bytesOf(message: { serializeBinary(): Uint8Array }): Buffer {
  return Buffer.from(message.serializeBinary())
}

/** 0 where these credentials are a user's, else 16. */
async function statusOf(served: Served, user: Login): Promise<number> {
  const details = await new Caller(served, user).details(user.login)
  return typeof details === 'number' ? details : 0
}

it('a user is made, kept out, let in again, given other passwords and deleted', async () => {
  const served = await serve({ tls: TLS })
  const admin = new Caller(served, ADMIN)
  expect(await admin.create(CLERK, ['desk'])).toBe(0)
  expect(await statusOf(served, CLERK)).toBe(0)
  expect(await admin.disable('clerk')).toBe(0)
  expect(await statusOf(served, CLERK)).toBe(16)
  expect(await admin.enable('clerk')).toBe(0)
  const clerk = new Caller(served, CLERK)
  expect(await clerk.changePassword('clerk', { from: 'wrong', to: 'canary-two' })).toBe(7)
  expect(await clerk.changePassword('clerk', { from: 'canary-one', to: 'canary-two' })).toBe(0)
  expect(await statusOf(served, CLERK)).toBe(16)
  expect(await statusOf(served, { ...CLERK, password: 'canary-two' })).toBe(0)
  expect(await admin.resetPassword({ login: 'clerk', password: 'canary-three' })).toBe(0)
  expect(await statusOf(served, { ...CLERK, password: 'canary-two' })).toBe(16)
  expect(await statusOf(served, { ...CLERK, password: 'canary-three' })).toBe(0)
  expect(await admin.delete('clerk')).toBe(0)
  expect(await statusOf(served, { ...CLERK, password: 'canary-three' })).toBe(16)
  expect(await admin.create({ ...CLERK, password: 'canary-four' })).toBe(0)
  expect(await statusOf(served, { ...CLERK, password: 'canary-four' })).toBe(0)
  const log = await logOf(served.store)
  expect(log.filter(({ data }) => Buffer.from(data).includes('canary'))).toEqual([])
})

it('details tell of one user or of all, and follow changes', async () => {
  const served = await serve({ tls: TLS })
  const admin = new Caller(served, ADMIN)
  await admin.create(CLERK, ['desk'])
  expect(await admin.details('clerk')).toMatchObject([
    { loginName: 'clerk', fullName: 'A Clerk', groupsList: ['desk'], disabled: false },
  ])
  await admin.update('clerk', ['desk', 'leads'])
  await admin.disable('clerk')
  expect(await admin.details()).toMatchObject([
    { loginName: 'admin', groupsList: ['$admins'] },
    { loginName: 'ops', groupsList: ['$ops'] },
    { loginName: 'clerk', fullName: 'Another', groupsList: ['desk', 'leads'], disabled: true },
  ])
})

it('another group opens and shuts streams at once', async () => {
  const served = await serve({ tls: TLS })
  const admin = new Caller(served, ADMIN)
  await admin.create(CLERK)
  expect(await new Caller(served, CLERK).create({ login: 'friend', password: 'x' })).toBe(7)
  await admin.update('clerk', ['$admins'])
  expect(await new Caller(served, CLERK).create({ login: 'friend', password: 'x' })).toBe(0)
  await admin.update('clerk', [])
  expect(await new Caller(served, CLERK).delete('friend')).toBe(7)
})

it('only administrators manage users; everybody may look at and change themselves', async () => {
  const served = await serve({ tls: TLS, users: [CLERK] })
  for (const caller of [
    new Caller(served),
    new Caller(served, CLERK),
    new Caller(served, { ...ADMIN, login: 'ops' }),
  ]) {
    expect(await caller.create({ login: 'friend', password: 'x' })).toBe(7)
    expect(await caller.update('admin', [])).toBe(7)
    expect(await caller.disable('admin')).toBe(7)
    expect(await caller.enable('admin')).toBe(7)
    expect(await caller.delete('admin')).toBe(7)
    expect(await caller.resetPassword({ login: 'admin', password: 'x' })).toBe(7)
    expect(await caller.changePassword('admin', { from: 'changeit', to: 'x' })).toBe(7)
    expect(await caller.details()).toBe(7)
    expect(await caller.details('admin')).toBe(7)
  }
  expect(await statusOf(served, ADMIN)).toBe(0)
})

it.each(['update', 'disable', 'enable', 'delete'] as const)(
  '%s of a user that is not there says so',
  async (method) => {
    const admin = new Caller(await serve({ tls: TLS }), ADMIN)
    expect(await admin[method]('nobody', [])).toBe(5)
  },
)
