// Which node is asked: the one that was named, or in a cluster the one that gossip says leads. Every failure makes the choice anew; a leader that
// some node advertises is only believed until it fails.
import { StoreUnavailableError } from '../../log/store-errors.js'
import type { NodePreference } from './connection-string.js'
import { type Endpoint, formatEndpoint, sameEndpoint } from './endpoint.js'
import { isNotLeader, isTransient, leaderIn } from './errors.js'
import type { Node } from './node.js'
import { CallError, CODE, connectionLost } from './wire/call-error.js'
import type { Member } from './wire/gossip.js'

export interface ClusterOptions {
  readonly hosts: readonly Endpoint[]
  /** Ask the hosts who leads; without it the one host is used as it is. */
  readonly gossips: boolean
  readonly nodePreference: NodePreference
  readonly makeNode: (endpoint: Endpoint) => Node
}

/** What a node is wanted for. */
export type Purpose = 'deciding' | 'bulk'

export class Cluster {
  readonly #options: ClusterOptions
  readonly #nodes = new Map<string, Node>()
  readonly #chosen = new Map<Purpose, Endpoint>()
  readonly #choosing = new Map<Purpose, Promise<Endpoint>>()
  #members: readonly Member[] = []
  #failed: Endpoint | undefined
  #closed = false

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** Whether only the leader will do. */
  needsLeader(purpose: Purpose): boolean {
    return purpose === 'deciding' || this.#options.nodePreference === 'leader'
  }

  /** The node for a purpose. Throws CallError where none can be found now. */
  async node(purpose: Purpose): Promise<Node> {
    const kind = this.needsLeader(purpose) ? 'deciding' : 'bulk'
    const chosen = this.#chosen.get(kind)
    if (chosen) return this.#nodeAt(chosen)
    const choosing = this.#choosing.get(kind) ?? this.#choose(kind)
    this.#choosing.set(kind, choosing)
    try {
      const endpoint = await choosing
      this.#chosen.set(kind, endpoint)
      return this.#nodeAt(endpoint)
    } finally {
      this.#choosing.delete(kind)
    }
  }

  /**
   * A call to a node failed. Where that is the node's doing another one may be chosen now, at once where the node has told who leads. Where
   * it is what was asked for, nothing is wrong with the node.
   */
  failed(node: Node, error: CallError): void {
    if (!isTransient(error)) return
    for (const [purpose, endpoint] of this.#chosen) {
      if (sameEndpoint(endpoint, node.endpoint)) this.#chosen.delete(purpose)
    }
    if (!isNotLeader(error)) {
      this.#failed = node.endpoint
      return
    }
    const leader = leaderIn(error)
    if (leader && !sameEndpoint(leader, node.endpoint)) this.#chosen.set('deciding', leader)
  }

  close(): void {
    this.#closed = true
    for (const node of this.#nodes.values()) node.close()
  }

  async #choose(purpose: Purpose): Promise<Endpoint> {
    const [only] = this.#options.hosts
    if (!this.#options.gossips && only) return only
    const failures: string[] = []
    for (const candidate of this.#candidates()) {
      try {
        const members = await this.#nodeAt(candidate).members()
        const choice = chooseFrom(members, purpose === 'deciding' ? 'leader' : this.#options.nodePreference)
        if (choice) {
          this.#members = members
          return choice
        }
        failures.push(`${formatEndpoint(candidate)}: knows no ${purpose === 'deciding' ? 'leader' : 'node'}`)
      } catch (error) {
        // A wrong password is wrong on every node.
        if (!(error instanceof CallError) || error.code === CODE.unauthenticated) throw error
        failures.push(error.message)
      }
    }
    throw connectionLost(failures.join('; '))
  }

  /** Hosts that were named, then members seen before, in no order; whoever failed last comes last. */
  #candidates(): Endpoint[] {
    const known = [...shuffled(this.#options.hosts), ...shuffled(this.#members.map(({ endpoint }) => endpoint))]
    const unlike = known.filter((endpoint, i) => known.findIndex((other) => sameEndpoint(other, endpoint)) === i)
    const isFailed = (endpoint: Endpoint) => Number(sameEndpoint(endpoint, this.#failed))
    return unlike.sort((a, b) => isFailed(a) - isFailed(b))
  }

  #nodeAt(endpoint: Endpoint): Node {
    if (this.#closed) throw new StoreUnavailableError('The store is closed')
    const key = formatEndpoint(endpoint)
    const node = this.#nodes.get(key) ?? this.#options.makeNode(endpoint)
    this.#nodes.set(key, node)
    return node
  }
}

/** The leader is the leader or nobody; of the others any will do where the wanted kind is not there. */
function chooseFrom(members: readonly Member[], preference: NodePreference): Endpoint | undefined {
  const wanted = members.filter(({ role }) => preference === 'random' || role === preference)
  const among = wanted.length > 0 || preference === 'leader' ? wanted : members
  return shuffled(among)[0]?.endpoint
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
