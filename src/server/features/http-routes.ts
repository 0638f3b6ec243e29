// What scripts, containers and load balancers ask over plain HTTP, on the same port and over either version of HTTP.
import type { Principal } from '../access/principal.js'
import type { ServerContext } from '../server-context.js'
import { CODE, StatusError } from '../status.js'
import { PAGES, type Page } from './http-pages.js'

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

/** What a real server answers. */
const KNOWN = /^\/(?:info\/options|stats|streams|subscriptions|users|projections?|metrics|web|histogram)?(?:\/|$)/

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
  const pages = PAGES.filter((page) => page.path.test(path))
  const page = pages.find((one) => one.method === method)
  if (!page) return refusalOf(path, pages.length === 0 ? 'page' : method)
  if (!(await mayAsk(page, server, authenticate))) return { status: 401 }
  const base = `${server.users ? 'https' : 'http'}://${authority}`
  const json = await page.answer(server, { path, authority, base })
  return json === undefined ? { status: 404 } : { status: 200, json }
}

/** `missing`: the page, or the method by which it was asked for. */
function refusalOf(path: string, missing: string): HttpAnswer {
  if (missing === 'HEAD') return { status: 405 }
  if (KNOWN.test(path)) return { status: 501, text: `${path} is not supported by this server\n` }
  return { status: missing === 'page' ? 404 : 405 }
}

/** As on a real server, whoever has not the right is asked for credentials. */
async function mayAsk(page: Page, server: ServerContext, authenticate: () => Promise<Principal>): Promise<boolean> {
  try {
    page.mustBeAllowed(await authenticate(), server)
    return true
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    if (error.code === CODE.unauthenticated || error.code === CODE.permissionDenied) return false
    throw error
  }
}

/** Clients may ask for another status than 204 by `?liveCode=200`. */
function liveStatus(query: URLSearchParams): number {
  const wanted = Number(query.get('liveCode') ?? 204)
  return Number.isInteger(wanted) && wanted >= 200 && wanted < 600 ? wanted : 204
}
