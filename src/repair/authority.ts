// The PORT to whoever does outside of the log what a compensation needs, such as a ticketing system. It is asked under a
// key that makes asking again harmless; what it has done is a fact, and what it may have done is told as unknown.
import type { JsonObject } from '../engine/json.js'

/** One question. */
export interface AuthorityCall {
  /** The idempotency key: the same work is asked for under the same key for ever, by every process and every campaign. */
  readonly key: string
  /** What is asked for, in the domain's words; the engine hands it on unread. */
  readonly request: JsonObject
  /** Ends the waiting, not the work: an aborted `issue` may have been done. */
  readonly signal?: AbortSignal
}

/** Whether the work that a call asks for is there already. */
export type LookUpResult =
  /** It is: done under this key, or by somebody else for the same thing. `answer` is what `issue` would have answered. */
  | { readonly kind: 'found'; readonly answer: JsonObject }
  /** It is not, and nothing is under way under this key. */
  | { readonly kind: 'none' }
  /** Nobody can tell now: silence, a lost connection, or an answer that makes no sense. Nothing may be concluded from it. */
  | { readonly kind: 'unknown'; readonly message: string }

/** What became of the work. */
export type IssueResult =
  /** Done, now or by an earlier call with the same key. */
  | { readonly kind: 'done'; readonly answer: JsonObject }
  /** Not done under this key. `retryable`: the same may be asked again later. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly retryable: boolean }
  /** It may have been done, or may be yet. Only `lookUp` or the identical call can settle it. */
  | { readonly kind: 'unknown'; readonly message: string }

/** Whether an authority works for a store. */
export type AdmitResult =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string }

/**
 * Contract: every call ends in bounded time and neither method throws, however wrong the answer; what is not understood is `unknown`,
 * never success. `issue` is idempotent by key: the same key gives the same answer, and the work is done once. `lookUp` changes
 * nothing and sees every `issue` that was answered before it began. Wrap what does not promise this in `boundedAuthority`.
 */
export interface Authority {
  /** Where it is, for messages and records; without credentials. */
  readonly name: string
  /**
   * Asked once before a campaign claims anything; without it every store is admitted. A simulator admits only stores whose
   * marker (log/store-marker.ts) says that they are generated.
   */
  admits?(store: { readonly generated: boolean }, signal?: AbortSignal): Promise<AdmitResult>
  lookUp(call: AuthorityCall): Promise<LookUpResult>
  issue(call: AuthorityCall): Promise<IssueResult>
}

/** How long one call may take where nothing else is said. */
export const AUTHORITY_TIMEOUT_MS = 10_000
