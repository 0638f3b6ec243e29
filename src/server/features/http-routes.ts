// What scripts, containers and load balancers ask over plain HTTP, on the same port and over either version of HTTP.
import { formatTicks, ticksOfMs } from '../../log/ticks.js'
import type { Principal } from '../access/principal.js'
import { nodeStatistics } from '../operations/node-statistics.js'
import type { ServerContext } from '../server-context.js'
import { CODE, StatusError } from '../status.js'
import { statisticsJson } from '../system-projections/statistics-message.js'
import { endpointOf } from './cluster-member.js'
import { SERVER_VERSION } from './get-supported-methods.js'
import { groupJson } from './group-json.js'

export interface HttpRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** The `host` header or `:authority`. */
  readonly authority: string
  readonly authorization: string | undefined
}

export interface HttpAnswer {
  readonly status: number
  /** Sent as JSON. */
  readonly json?: unknown
  readonly text?: string
}

/** What a real server answers here and this one does not. */
const UNSUPPORTED = /^\/(?:info\/options|stats|streams|subscriptions|users|projections?|metrics|web|histogram)?(?:\/|$)/

interface Asked {
  readonly path: string
  readonly authority: string
  /** What links begin with. */
  readonly base: string
}

type Page = (server: ServerContext, asked: Asked) => unknown

/** For everybody. */
const OPEN: Readonly<Record<string, Page>> = {
  '/info': infoOf,
  '/gossip': gossipOf,
  '/ping': () => ({ text: 'Ping request successfully handled', msgTypeId: null, label: 'Ping' }),
}

/** For users only, where there are any. A page that gives undefined is not there. */
const FOR_USERS: readonly (readonly [RegExp, Page])[] = [
  [/^\/stats$/, nodeStatistics],
  [/^\/stats\/proc$/, async (server) => (await nodeStatistics(server)).proc],
  [/^\/subscriptions$/, groupsOf],
  [/^\/projections\/(?:any|all-non-transient|continuous)$/, projectionsOf],
  [/^\/projection\/[^/]+$/, async (server, asked) => (await projectionOf(server, asked))[0]],
  [/^\/projection\/[^/]+\/statistics$/, async (server, asked) => found(await projectionOf(server, asked))],
]

/** Answers a request. What a real server has and this one has not is refused as not implemented, and nothing else is known. */
export async function answerHttp(
  { method, target, authority }: HttpRequest,
  server: ServerContext,
  authenticate: () => Promise<Principal>,
): Promise<HttpAnswer> {
  const url = target.startsWith('/') ? `http://server${target}` : target
  if (!URL.canParse(url)) return { status: 400 }
  const { pathname: path, searchParams: query } = new URL(url)
  if (path === '/health/live') return { status: method === 'GET' || method === 'HEAD' ? liveStatus(query) : 405 }
  const open = OPEN[path]
  const page = open ?? FOR_USERS.find(([pattern]) => pattern.test(path))?.[1]
  if (!page) return UNSUPPORTED.test(path) ? notSupported(path) : { status: 404 }
  if (method !== 'GET') return { status: 405 }
  if (!open && server.users && !(await isUser(authenticate))) return { status: 401 }
  const base = `${server.users ? 'https' : 'http'}://${authority}`
  const json = await page(server, { path, authority, base })
  return json === undefined ? { status: 404 } : { status: 200, json }
}

function notSupported(path: string): HttpAnswer {
  return { status: 501, text: `${path} is not supported by this server\n` }
}

async function isUser(authenticate: () => Promise<Principal>): Promise<boolean> {
  try {
    return (await authenticate()) !== undefined
  } catch (error) {
    if (error instanceof StatusError && error.code === CODE.unauthenticated) return false
    throw error
  }
}

/** Clients may ask for another status than 204 by `?liveCode=200`. */
function liveStatus(query: URLSearchParams): number {
  const wanted = Number(query.get('liveCode') ?? 204)
  return Number.isInteger(wanted) && wanted >= 200 && wanted < 600 ? wanted : 204
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
  return found(all.map((statistics) => statisticsJson(statistics, base)))
}

/** The projection that a path names, if there is one. */
async function projectionOf({ projections }: ServerContext, { path, base }: Asked) {
  const name = decoded(path.split('/')[2] ?? '')
  const projection = projections?.all.find((one) => one.name === name)
  return projection ? [statisticsJson(await projection.statistics(), base)] : []
}

function found<Item>(projections: readonly Item[]): { readonly projections: readonly Item[] } | undefined {
  return projections.length === 0 ? undefined : { projections }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
