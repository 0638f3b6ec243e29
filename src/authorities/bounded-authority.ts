// Makes an authority out of anything that answers, such as a user's module: calls end in bounded time, nothing is thrown, and an
// answer that has not the right shape is unknown.
import type { ZodType } from 'zod'
import { AUTHORITY_TIMEOUT_MS, type Authority, type AuthorityCall } from '../repair/authority.js'
import { admitResult, issueResult, lookUpResult } from './answers.js'

/** An authority that promises nothing. */
export interface UncheckedAuthority {
  readonly name: string
  admits?(store: { readonly generated: boolean }, signal?: AbortSignal): unknown
  lookUp(call: AuthorityCall): unknown
  issue(call: AuthorityCall): unknown
}

/** `inner` behind the contract of {@link Authority}. A call may take `timeoutMs` (default 10 s). */
export function boundedAuthority(
  inner: UncheckedAuthority,
  { timeoutMs = AUTHORITY_TIMEOUT_MS }: { timeoutMs?: number } = {},
): Authority {
  const { name } = inner
  const bound = <Result>(schema: ZodType<Result>, signal: AbortSignal | undefined, ask: Ask) =>
    askInTime(ask, { name, schema, signal, timeoutMs })
  return {
    name,
    ...(inner.admits && {
      admits: (store, signal) => bound(admitResult, signal, (ending) => inner.admits?.(store, ending)),
    }),
    lookUp: (call) => bound(lookUpResult, call.signal, (signal) => inner.lookUp({ ...call, signal })),
    issue: (call) => bound(issueResult, call.signal, (signal) => inner.issue({ ...call, signal })),
  }
}

type Ask = (signal: AbortSignal) => unknown
type Unknown = { readonly kind: 'unknown'; readonly message: string }

interface AskOptions<Result> {
  readonly name: string
  readonly schema: ZodType<Result>
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
}

async function askInTime<Result>(ask: Ask, options: AskOptions<Result>): Promise<Result | Unknown> {
  const ending = endingOf(options)
  try {
    // The answer is raced: a module may take no notice of the signal.
    const answer = await Promise.race([Promise.resolve(ask(ending.signal)), ending.ended])
    const parsed = options.schema.safeParse(answer)
    return parsed.success ? parsed.data : unknown(options.name, 'the answer has not the shape that was agreed')
  } catch (error) {
    return unknown(options.name, messageOf(error))
  } finally {
    ending.release()
  }
}

interface Ending {
  readonly signal: AbortSignal
  /** Rejects when the signal is aborted. */
  readonly ended: Promise<never>
  release(): void
}

function endingOf({ signal, timeoutMs }: AskOptions<unknown>): Ending {
  const controller = new AbortController()
  const giveUp = () => controller.abort(new Error('the call was given up'))
  // Not AbortSignal.timeout: its timer would not keep the process alive while nothing but this call is waited for.
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  const ended = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
  })
  // Where `ask` itself throws nobody waits for `ended`.
  ended.catch(() => undefined)
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted) giveUp()
  return {
    signal: controller.signal,
    ended,
    release: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    },
  }
}

const MESSAGE_LENGTH_MAX = 500

function unknown(name: string, problem: string): Unknown {
  return { kind: 'unknown', message: `${name}: ${problem}`.slice(0, MESSAGE_LENGTH_MAX) }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // fetch says only "fetch failed"; what failed stands in its cause.
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? `${error.message} (${cause.message})` : error.message
}
