// One POST over HTTP, on connections that are kept for the next one: of a thousand questions in a campaign each costs a round trip and little else.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** Well before servers close a connection that nothing comes on: what is sent into one that is being closed is lost, and nobody can tell whether it was heard. */
const IDLE_MS_MAX = 2_000

const WAYS = {
  'http:': { request: httpRequest, agent: new HttpAgent({ keepAlive: true, timeout: IDLE_MS_MAX }) },
  'https:': { request: httpsRequest, agent: new HttpsAgent({ keepAlive: true, timeout: IDLE_MS_MAX }) },
}

export interface PostRequest {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
}

/**
 * Posts to a URL (`http:` or `https:`) and resolves when the answer begins; whoever does not read it to its end destroys it. Redirects are not
 * followed. Nothing is sent twice. Rejects with the system's error, and where the signal is aborted.
 */
export function post(url: URL, { body, headers, signal }: PostRequest): Promise<IncomingMessage> {
  const { request, agent } = WAYS[url.protocol as keyof typeof WAYS]
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      ...(signal && { signal }),
    }
    request(url, options, resolve).on('error', reject).end(body)
  })
}
