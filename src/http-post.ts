// Composition: the webhook's requests over HTTP.
import type { Post } from './watch/webhook.js'

/** How long one request may take. */
const TIMEOUT_MS = 10_000

/** Posts to a URL. A redirect is an answer like any other: what was signed for one receiver is not carried to another. */
export function httpPost(url: URL): Post {
  return async (body, headers, ending) => {
    const signal = AbortSignal.any([ending, AbortSignal.timeout(TIMEOUT_MS)])
    const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal })
    await response.body?.cancel()
    return response.status
  }
}
