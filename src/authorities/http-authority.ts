// An authority behind HTTP, as docs/authority.md describes the protocol. Only a complete answer with status 200 that names the key
// asked under counts; all else is unknown.
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import type { Authority, AuthorityCall } from '../repair/authority.js'
import { boundedAuthority } from './bounded-authority.js'
import { post } from './post.js'

/** An answer longer than this is not read to its end. */
const ANSWER_BYTES_MAX = 1_048_576

/**
 * The authority at `url` (`http:` or `https:`). Credentials in the URL go as basic authentication and are in no message. A call may
 * take `timeoutMs` (default 10 s). Throws TypeError where the text is no such URL.
 */
export function httpAuthority(url: string, options: { timeoutMs?: number } = {}): Authority {
  const endpoint = endpointOf(url)
  return boundedAuthority(
    {
      name: endpoint.base,
      admits: (store, signal) => admit(endpoint, store, signal),
      lookUp: (call) => ask(endpoint, 'lookup', call),
      issue: (call) => ask(endpoint, 'issue', call),
    },
    options,
  )
}

interface Endpoint {
  /** Without credentials, query and final slash. */
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
}

function endpointOf(text: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // The text is not repeated: it may hold credentials.
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError('The authority must be an http: or https: URL')
  const { username, password } = url
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  return {
    base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    headers: {
      'content-type': 'application/json',
      ...((username || password) && { authorization: `Basic ${login}` }),
    },
  }
}

async function admit(endpoint: Endpoint, store: { generated: boolean }, signal?: AbortSignal): Promise<unknown> {
  const response = await send(endpoint, { path: 'admit', body: store, signal })
  if (response.statusCode === 404) {
    response.destroy()
    return { kind: 'admitted' }
  }
  return answerIn(response)
}

/** The answer names its key, so that a mixed-up proxy or cache cannot pass on somebody else's ticket. */
const keyed = z.looseObject({ key: z.string() })

async function ask(endpoint: Endpoint, path: string, { key, request, signal }: AuthorityCall): Promise<unknown> {
  const response = await send(endpoint, { path, body: request, headers: { 'idempotency-key': key }, signal })
  const answer = keyed.safeParse(await answerIn(response))
  if (answer.data?.key !== key) throw new Error('the answer is not for the key that was asked under')
  return answer.data
}

interface Request {
  readonly path: string
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

function send(endpoint: Endpoint, { path, body, headers, signal }: Request): Promise<IncomingMessage> {
  return post(new URL(`${endpoint.base}/${path}`), {
    body: JSON.stringify(body),
    headers: { ...endpoint.headers, ...headers },
    signal,
  })
}

async function answerIn(response: IncomingMessage): Promise<unknown> {
  if (response.statusCode !== 200) {
    response.destroy()
    throw new Error(`status ${response.statusCode}`)
  }
  const text = await textOf(response)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('the answer is not JSON', { cause })
  }
}

/** Leaving the loop early ends the connection. */
async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength
    if (length > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
