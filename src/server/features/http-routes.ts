// What scripts, containers and load balancers ask over plain HTTP, on the same port and over either version of HTTP.
import { formatTicks, ticksOfMs } from '../../log/ticks.js'
import { endpointOf } from './cluster-member.js'
import { SERVER_VERSION } from './get-supported-methods.js'

export interface HttpRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** The `host` header or `:authority`. */
  readonly authority: string
}

export interface HttpAnswer {
  readonly status: number
  /** Sent as JSON. */
  readonly json?: unknown
  readonly text?: string
}

/** What the answers are about. */
export interface HttpSubject {
  readonly secure: boolean
  readonly instanceId: string
}

/** What a real server answers here and this one does not. */
const UNSUPPORTED = /^\/(?:info\/options|stats|streams|subscriptions|users|projections?|metrics|web|histogram)?(?:\/|$)/

/** Answers a request. What a real server has and this one has not is refused as not implemented, and nothing else is known. */
export function answerHttp({ method, target, authority }: HttpRequest, subject: HttpSubject): HttpAnswer {
  const url = target.startsWith('/') ? `http://server${target}` : target
  if (!URL.canParse(url)) return { status: 400 }
  const { pathname: path, searchParams: query } = new URL(url)
  if (path === '/health/live') return { status: method === 'GET' || method === 'HEAD' ? liveStatus(query) : 405 }
  const open = OPEN[path]
  if (open) return method === 'GET' ? { status: 200, json: open(authority, subject) } : { status: 405 }
  if (UNSUPPORTED.test(path)) return { status: 501, text: `${path} is not supported by this server\n` }
  return { status: 404 }
}

const OPEN: Readonly<Record<string, (authority: string, subject: HttpSubject) => unknown>> = {
  '/info': (_authority, subject) => infoOf(subject),
  '/gossip': gossipOf,
  '/ping': () => ({ text: 'Ping request successfully handled', msgTypeId: null, label: 'Ping' }),
}

/** Clients may ask for another status than 204 by `?liveCode=200`. */
function liveStatus(query: URLSearchParams): number {
  const wanted = Number(query.get('liveCode') ?? 204)
  return Number.isInteger(wanted) && wanted >= 200 && wanted < 600 ? wanted : 204
}

function infoOf({ secure }: HttpSubject) {
  return {
    esVersion: SERVER_VERSION,
    state: 'leader',
    features: { projections: false, userManagement: secure, atomPub: false },
    authentication: { type: secure ? 'internal' : 'insecure', properties: {} },
  }
}

function gossipOf(authority: string, { instanceId }: HttpSubject) {
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
