// Finding the leader of a cluster. The nodes here are scripted, and so is their gossip: what is shown is what the adapter does, not what a
// cluster does.

import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, test } from 'vitest'
import { anEvent, eventsOf, eventsOfLog } from '../../controls/events.js'
import { open, until } from './opened.js'
import { APPEND, GOSSIP, gossipOf, READ, type Stub, type StubCall, scriptedEvent, startStub } from './stub-server.js'

type State = Parameters<typeof gossipOf>[0][number]['state']

/** Three nodes that say of themselves what the test says. A node that does not lead turns away what wants the leader. */
class ScriptedCluster {
  readonly nodes: Stub[] = []
  readonly states: State[] = ['FOLLOWER', 'LEADER', 'FOLLOWER']
  readonly alive = [true, true, true]
  /** What gossip says of each node, where it says something else than what is so. */
  rumours: readonly State[] | undefined
  /** Whether a node that does not lead tells who does. */
  tellsLeader = true

  static async start(): Promise<ScriptedCluster> {
    const cluster = new ScriptedCluster()
    for (let i = 0; i < 3; i += 1) cluster.nodes.push(await startStub())
    cluster.nodes.forEach((node, i) => {
      node.on(GOSSIP, (call) => {
        call.send(gossipOf(cluster.members()))
        call.end()
      })
      node.on(READ, (call) => {
        if (!cluster.leads(i, call)) return
        call.sendEvents([scriptedEvent(0)])
        call.end()
      })
      node.on(APPEND, async (call) => {
        await call.request()
        if (!cluster.leads(i, call)) return
        const success = new streams.AppendResp.Success().setCurrentRevision('0')
        call.send(new streams.AppendResp().setSuccess(success).serializeBinary())
        call.end()
      })
    })
    return cluster
  }

  get url(): string {
    return `esdb://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}?tls=false&discoveryInterval=20`
  }

  lead(leader: number): void {
    this.states.forEach((_, i) => {
      this.states[i] = i === leader ? 'LEADER' : 'FOLLOWER'
    })
  }

  async kill(node: number): Promise<void> {
    this.alive[node] = false
    await this.nodes[node]?.stop()
  }

  /** How many calls of a kind each node got. */
  countsOf(path: string): number[] {
    return this.nodes.map((node) => node.callsOf(path).length)
  }

  members() {
    return this.nodes.map(({ port }, i) => ({
      port,
      state: (this.rumours ?? this.states)[i] as State,
      alive: this.alive[i] ?? false,
    }))
  }

  leads(node: number, call: StubCall): boolean {
    if (this.states[node] === 'LEADER' || call.headers['requires-leader'] === undefined) return true
    const leader = this.nodes[this.states.indexOf('LEADER')]
    const place = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': String(leader?.port) }
    call.end({ code: 5, trailers: { exception: 'not-leader', ...(this.tellsLeader && leader && place) } })
    return false
  }
}

describe('a store of several hosts', () => {
  test('asks gossip, and reads from and writes to the leader', async () => {
    const cluster = await ScriptedCluster.start()
    const store = await open(cluster.url)
    await store.append('s-1', [anEvent()], 'any')
    expect(await eventsOf(store, 's-1', { maxCount: 1 })).toHaveLength(1)
    expect(await eventsOfLog(store, { maxCount: 1 })).toHaveLength(1)
    expect([cluster.countsOf(APPEND), cluster.countsOf(READ)]).toEqual([
      [0, 1, 0],
      [0, 2, 0],
    ])
  })

  test('esdb+discover asks the one host that is named', async () => {
    const cluster = await ScriptedCluster.start()
    const store = await open(`esdb+discover://127.0.0.1:${cluster.nodes[0]?.port}?tls=false`)
    await store.append('s-1', [anEvent()], 'any')
    expect(cluster.countsOf(APPEND)).toEqual([0, 1, 0])
    expect(cluster.countsOf(GOSSIP)[2]).toBe(0)
  })

  test('one named host is used as it is', async () => {
    const cluster = await ScriptedCluster.start()
    const store = await open(`esdb://127.0.0.1:${cluster.nodes[1]?.port}?tls=false`)
    await store.append('s-1', [anEvent()], 'any')
    expect(cluster.countsOf(APPEND)).toEqual([0, 1, 0])
  })

  test('bulk reading goes where nodePreference says, what decides to the leader', async () => {
    const cluster = await ScriptedCluster.start()
    cluster.states[2] = 'READONLYREPLICA'
    const store = await open(`${cluster.url}&nodePreference=readOnlyReplica`)
    await eventsOfLog(store, { maxCount: 1 })
    expect(cluster.countsOf(READ)).toEqual([0, 0, 1])
    await eventsOf(store, 's-1', { maxCount: 1 })
    expect(cluster.countsOf(READ)).toEqual([0, 1, 1])
  })

  test.each([
    ['that tell the new leader', true],
    ['that do not know the new leader', false],
  ])('a leader change is followed, over nodes %s', async (_title, tells) => {
    const cluster = await ScriptedCluster.start()
    const store = await open(cluster.url)
    await store.append('s-1', [anEvent()], 'any')
    cluster.tellsLeader = tells
    cluster.lead(2)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    expect(await eventsOf(store, 's-1', { maxCount: 1 })).toHaveLength(1)
    cluster.lead(0)
    expect(await eventsOf(store, 's-1', { maxCount: 1 })).toHaveLength(1)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    // Node 1 took the first one and turned the second away; node 2 took that.
    expect(cluster.countsOf(APPEND)).toEqual([1, 2, 1])
  })

  test('a leader that dies in a reading is replaced, and the reading goes on', async () => {
    const cluster = await ScriptedCluster.start()
    cluster.nodes[1]?.on(READ, (call) => {
      call.sendEvents([scriptedEvent(0), scriptedEvent(1)])
    })
    cluster.nodes[2]?.on(READ, async (call) => {
      expect((await call.readOptions()).getStream()?.getRevision()).toBe('2')
      call.sendEvents([scriptedEvent(2), scriptedEvent(3)])
      call.end()
    })
    const store = await open(cluster.url)
    const read = await store.readStream('s-1', { maxCount: 4 })
    const revisions: number[] = []
    for await (const events of read.kind === 'found' ? read.events : []) {
      revisions.push(...events.map(({ revision }) => revision))
      if (revisions.length > 2) continue
      cluster.lead(2)
      await cluster.kill(1)
    }
    expect(revisions).toEqual([0, 1, 2, 3])
  })

  test('what a leader refuses is no reason to look for another', async () => {
    const cluster = await ScriptedCluster.start()
    const store = await open(cluster.url)
    cluster.nodes[1]?.on(APPEND, (call) => call.end({ code: 9, trailers: { exception: 'stream-deleted' } }))
    const asked = cluster.countsOf(GOSSIP).reduce((sum, count) => sum + count)
    for (let i = 0; i < 3; i += 1) {
      expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'refused', reason: 'stream-deleted' })
    }
    expect(cluster.countsOf(GOSSIP).reduce((sum, count) => sum + count)).toBe(asked)
  })

  test('a wrong password is told by the first node that is asked', async () => {
    const cluster = await ScriptedCluster.start()
    for (const node of cluster.nodes) node.on(GOSSIP, (call) => call.end({ code: 16, message: 'Unauthenticated' }))
    await expect(open(cluster.url)).rejects.toMatchObject({ message: expect.stringContaining('password is wrong') })
    expect(cluster.countsOf(GOSSIP).reduce((sum, count) => sum + count)).toBe(1)
  })

  test('a dead node among the hosts is passed over', async () => {
    const cluster = await ScriptedCluster.start()
    await cluster.kill(0)
    for (let i = 0; i < 5; i += 1) {
      const store = await open(cluster.url)
      expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
      await store.close()
    }
    expect(cluster.countsOf(APPEND)).toEqual([0, 5, 0])
  })

  test('a rumour of a leader that is dead is not believed for ever', async () => {
    const cluster = await ScriptedCluster.start()
    await cluster.kill(1)
    cluster.alive[1] = true
    const opening = open(`${cluster.url}&maxDiscoverAttempts=1000`, { outageMsMax: 20_000 })
    await until(() => (cluster.countsOf(GOSSIP)[0] ?? 0) + (cluster.countsOf(GOSSIP)[2] ?? 0) > 3)
    cluster.alive[1] = false
    cluster.lead(2)
    const store = await opening
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    expect(cluster.countsOf(APPEND)).toEqual([0, 0, 1])
  })

  test.each<[string, (cluster: ScriptedCluster) => void | Promise<void>, string]>([
    ['without a leader', (cluster) => cluster.lead(-1), 'knows no leader'],
    [
      'that is dead',
      async (cluster) => {
        for (const i of [0, 1, 2]) await cluster.kill(i)
      },
      'nothing listens there',
    ],
  ])('a cluster %s is an error in bounded time', async (_title, spoil, words) => {
    const cluster = await ScriptedCluster.start()
    await spoil(cluster)
    await expect(open(`${cluster.url}&maxDiscoverAttempts=3`)).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: expect.stringContaining(words),
    })
  })

  test('a subscription moves with the leader', async () => {
    const cluster = await ScriptedCluster.start()
    cluster.nodes[1]?.on(READ, (call) => void call.sendEvents([scriptedEvent(0)]))
    cluster.nodes[2]?.on(READ, (call) => void call.sendEvents([scriptedEvent(1)]))
    const store = await open(cluster.url)
    const revisions: number[] = []
    for await (const message of store.subscribeToStream('s-1')) {
      if (message.kind !== 'events') continue
      revisions.push(...message.events.map(({ revision }) => revision))
      if (revisions.length === 2) break
      cluster.lead(2)
      await cluster.kill(1)
    }
    expect(revisions).toEqual([0, 1])
  })
})
