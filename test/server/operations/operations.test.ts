// Operations, Monitoring and the pages over HTTP: each does what it says, or refuses by its name; with users, for those who may.
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import monitoring from '@eventstore/db-client/generated/monitoring_pb.js'
import operations from '@eventstore/db-client/generated/operations_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { describe, expect, it, vi } from 'vitest'
import { startServer } from '../../../src/server-entry.js'
import { makeCertificate } from '../certificate.js'
import { appendNumbers, createGroup } from '../persistent/groups.js'
import { answerOf, beginCall, callRaw, connectRaw, framed } from '../raw-call.js'
import { startServe } from '../serve-process.js'
import { serve } from '../served.js'

const OPERATIONS = '/event_store.client.operations.Operations'
const STATS = '/event_store.client.monitoring.Monitoring/Stats'
const TLS = makeCertificate()
const EMPTY = framed(new shared.Empty())

describe('operations', () => {
  it.each(['MergeIndexes', 'RestartPersistentSubscriptions'])('%s is done', async (method) => {
    const { port, client } = await serve()
    await appendNumbers(client, 'orders', [1])
    await createGroup(client, 'orders')
    expect(await callRaw(connectRaw(port), `${OPERATIONS}/${method}`, EMPTY)).toMatchObject({ code: 0 })
    expect(await client.listAllPersistentSubscriptions()).toHaveLength(1)
  })

  it.each([
    ['StartScavenge', new operations.StartScavengeReq()],
    ['StopScavenge', new operations.StopScavengeReq()],
    ['ResignNode', new shared.Empty()],
    ['SetNodePriority', new operations.SetNodePriorityReq().setPriority(3)],
  ])('%s is refused by its name', async (method, message) => {
    const { port } = await serve()
    expect(await callRaw(connectRaw(port), `${OPERATIONS}/${method}`, framed(message))).toMatchObject({
      code: 12,
      details: expect.stringMatching(new RegExp(`^Operations\\.${method} is not supported: this server `)),
    })
  })

  it('a shutdown stops a server in a test, and its store', async () => {
    await using server = await startServer()
    expect(await callRaw(connectRaw(server.port), `${OPERATIONS}/Shutdown`, EMPTY)).toMatchObject({ code: 0 })
    await server.stopped
    await expect(once(http.get({ port: server.port }), 'response')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('a shutdown ends the process as SIGTERM does', async () => {
    const serving = await startServe(['--insecure', '--store', 'memory:', '--system-projections'])
    expect(await callRaw(connectRaw(serving.port), `${OPERATIONS}/Shutdown`, EMPTY)).toMatchObject({ code: 0 })
    expect(await serving.ended).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('a server with users', () => {
  const CLERK = { login: 'clerk', password: 'secret' }
  const call = async (port: number, method: string, user?: { login: string; password: string }) => {
    const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(TLS.cert)))
    const metadata = new Metadata()
    if (user) metadata.set('authorization', `Basic ${btoa(`${user.login}:${user.password}`)}`)
    try {
      return await new Promise<number>((resolve) => {
        const bytes = (message: Buffer) => message
        client.makeUnaryRequest(method, bytes, bytes, Buffer.alloc(0), metadata, (error) => resolve(error?.code ?? 0))
      })
    } finally {
      client.close()
    }
  }

  it.each(['Shutdown', 'MergeIndexes', 'RestartPersistentSubscriptions'])(
    'does %s for operators only',
    async (method) => {
      const { port } = await serve({ tls: TLS, users: [CLERK], onShutdown: () => undefined })
      expect(await call(port, `${OPERATIONS}/${method}`)).toBe(7)
      expect(await call(port, `${OPERATIONS}/${method}`, CLERK)).toBe(7)
      expect(await call(port, `${OPERATIONS}/${method}`, { login: 'ops', password: 'changeit' })).toBe(0)
    },
  )
})

describe('statistics', () => {
  it('come again and again until the client leaves', async () => {
    const { port } = await serve({ systemProjections: true })
    const call = beginCall(connectRaw(port), STATS)
    call.end(framed(new monitoring.StatsReq().setRefreshTimePeriodInMs('100')))
    let bytes = 0
    call.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    const first = await vi.waitUntil(() => bytes > 0 && bytes)
    await vi.waitUntil(() => bytes >= 2 * first, { timeout: 10_000 })
    const ended = answerOf(call)
    call.close(8)
    expect(await ended).toMatchObject({ code: undefined })
  })

  it('over HTTP tell of the process, the groups and the projections', async () => {
    const { port, client } = await serve({ systemProjections: true })
    await appendNumbers(client, 'orders', [1])
    await createGroup(client, 'orders')
    const page = async (path: string) => (await get(`http://127.0.0.1:${port}${path}`)).json
    expect(await page('/stats')).toMatchObject({ proc: { id: process.pid }, es: { subscriptions: { groups: 1 } } })
    expect(await page('/stats/proc')).toMatchObject({ id: process.pid })
    expect(await page('/subscriptions')).toMatchObject([{ eventStreamId: 'orders', groupName: 'clerks' }])
    expect(await page('/projections/any')).toMatchObject({ projections: Array(5).fill({ status: 'Running' }) })
    expect(await page('/projection/$streams')).toMatchObject({ name: '$streams' })
    expect(await page('/projection/%24streams/statistics')).toMatchObject({ projections: [{ name: '$streams' }] })
    expect(await page('/info')).toMatchObject({ features: { projections: true } })
  })

  it.each(['/projection/mine', '/projection/mine/statistics', '/projection/%E0'])('there is no %s', async (path) => {
    const { port } = await serve({ systemProjections: true })
    expect(await get(`http://127.0.0.1:${port}${path}`)).toMatchObject({ status: 404 })
  })

  it('projections are disabled and enabled by scripts, as by clients', async () => {
    const { port, client } = await serve({ systemProjections: true })
    const post = async (path: string) => (await get(`http://127.0.0.1:${port}${path}`, 'POST')).status
    expect(await post('/projection/$streams/command/disable')).toBe(200)
    expect(await client.getProjectionStatus('$streams')).toMatchObject({ status: 'Stopped' })
    expect(await post('/projection/%24streams/command/enable')).toBe(200)
    expect(await client.getProjectionStatus('$streams')).toMatchObject({ status: 'Running' })
    expect(await post('/projection/mine/command/enable')).toBe(404)
    const create = client.createProjection('mine', 'fromAll()', { trackEmittedStreams: true })
    await expect(create).rejects.toMatchObject({ type: 'unknown' })
  })

  it('are kept from whoever is no user', async () => {
    const { port } = await serve({ tls: TLS, systemProjections: true })
    const status = async (credentials: string) => (await get(`https://${credentials}localhost:${port}/stats`)).status
    expect(await status('')).toBe(401)
    expect(await status('admin:wrong@')).toBe(401)
    expect(await status('ops:changeit@')).toBe(200)
  })
})

async function get(url: string, method = 'GET'): Promise<{ status: number | undefined; json: unknown }> {
  const { hostname, port, pathname, protocol, username, password } = new URL(url)
  const options = {
    method,
    hostname,
    port,
    path: pathname,
    agent: false,
    ...(username && { auth: `${username}:${password}` }),
  }
  const request =
    protocol === 'https:' ? https.request({ ...options, rejectUnauthorized: false }) : http.request(options)
  request.end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const body = await text(response)
  return { status: response.statusCode, json: body.startsWith('{') || body.startsWith('[') ? JSON.parse(body) : body }
}
