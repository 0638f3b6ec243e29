// The pages that there are over plain HTTP, each with who may see it.
import { formatTicks, ticksOfMs } from '../../log/ticks.js'
import type { Principal } from '../access/principal.js'
import { nodeStatistics } from '../operations/node-statistics.js'
import { mustBeOperator, mustBeUser } from '../persistent/group-access.js'
import type { ServerContext } from '../server-context.js'
import type { ManagedProjection } from '../system-projections/managed-projection.js'
import { statisticsJson } from '../system-projections/statistics-message.js'
import { endpointOf } from './cluster-member.js'
import { SERVER_VERSION } from './get-supported-methods.js'
import { groupJson } from './group-json.js'

export interface Asked {
  readonly path: string
  readonly authority: string
  /** What links begin with. */
  readonly base: string
}

export interface Page {
  readonly method: 'GET' | 'POST'
  readonly path: RegExp
  /** Throws the status of a caller that may not see it. */
  readonly mustBeAllowed: (principal: Principal, server: ServerContext) => void
  /** What is sent as JSON; undefined: there is no such page after all. */
  readonly answer: (server: ServerContext, asked: Asked) => unknown
}

type Answer = Page['answer']

export const PAGES: readonly Page[] = [
  forEverybody(/^\/info$/, infoOf),
  forEverybody(/^\/gossip$/, gossipOf),
  forEverybody(/^\/ping$/, () => ({ text: 'Ping request successfully handled', msgTypeId: null, label: 'Ping' })),
  forUsers(/^\/stats$/, nodeStatistics),
  forUsers(/^\/stats\/proc$/, async (server) => (await nodeStatistics(server)).proc),
  forUsers(/^\/subscriptions$/, groupsOf),
  forUsers(/^\/projections\/(?:any|all-non-transient|continuous)$/, projectionsOf),
  forUsers(/^\/projection\/[^/]+$/, projectionOf),
  forUsers(/^\/projection\/[^/]+\/statistics$/, async (server, asked) => listed(await projectionOf(server, asked))),
  forOperators(/^\/projection\/[^/]+\/command\/enable$/, (server, asked) =>
    changed(projectionNamed(server, asked), (projection) => projection.enable()),
  ),
  forOperators(/^\/projection\/[^/]+\/command\/disable$/, (server, asked) =>
    changed(projectionNamed(server, asked), (projection) => projection.disable({ saveCheckpoint: true })),
  ),
]

function forEverybody(path: RegExp, answer: Answer): Page {
  return { method: 'GET', path, mustBeAllowed: () => undefined, answer }
}

function forUsers(path: RegExp, answer: Answer): Page {
  return { method: 'GET', path, mustBeAllowed: mustBeUser, answer }
}

function forOperators(path: RegExp, answer: Answer): Page {
  return { method: 'POST', path, mustBeAllowed: mustBeOperator, answer }
}

function infoOf({ users, projections }: ServerContext) {
  return {
    esVersion: SERVER_VERSION,
    state: 'leader',
    features: { projections: projections !== undefined, userManagement: users !== undefined, atomPub: false },
    authentication: { type: users ? 'internal' : 'insecure', properties: {} },
  }
}

function gossipOf({ instanceId }: ServerContext, { authority }: Asked) {
  const { host, port } = endpointOf(authority)
  const member = {
    instanceId,
    timeStamp: formatTicks(ticksOfMs(Date.now())),
    state: 'Leader',
    isAlive: true,
    httpEndPointIp: host,
    httpEndPointPort: port,
    nodePriority: 0,
    isReadOnlyReplica: false,
    esVersion: SERVER_VERSION,
  }
  return { members: [member], serverIp: host, serverPort: port }
}

async function groupsOf({ groups }: ServerContext, { base }: Asked) {
  return Promise.all(groups.all.map(async (group) => groupJson(await group.describe(), base)))
}

async function projectionsOf({ projections }: ServerContext, { base }: Asked) {
  if (!projections) return undefined
  const all = await Promise.all(projections.all.map((projection) => projection.statistics()))
  return { projections: all.map((statistics) => statisticsJson(statistics, base)) }
}

async function projectionOf(server: ServerContext, asked: Asked) {
  const projection = projectionNamed(server, asked)
  return projection && statisticsJson(await projection.statistics(), asked.base)
}

function listed(projection: object | undefined) {
  return projection && { projections: [projection] }
}

async function changed(
  projection: ManagedProjection | undefined,
  change: (projection: ManagedProjection) => Promise<void>,
) {
  if (!projection) return undefined
  await change(projection)
  return { name: projection.name }
}

/** `/projection/{name}/…` */
function projectionNamed({ projections }: ServerContext, { path }: Asked): ManagedProjection | undefined {
  const name = decoded(path.split('/')[2] ?? '')
  return projections?.all.find((projection) => projection.name === name)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
