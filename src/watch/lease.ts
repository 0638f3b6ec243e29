// The lease of a watch's name: of two watches that are called the same, one works and the other stands by. It is a stream,
// `makegood.lease-{name}`, in which the holder writes now and then; whoever sees it silent for long enough takes over.
import { z } from 'zod'
import { jsonEvent, type RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { streamOf } from '../log/stream.js'
import { type OwnAppend, OwnStream } from './own-stream.js'
import { pauseUnless } from './pause.js'

const CATEGORY = 'makegood.lease'
const RELEASED = 'LeaseReleased'

const held = z.object({
  holder: z.string(),
  /** After so much silence it may be taken. */
  silenceMs: z.number(),
})
type Held = z.infer<typeof held>

export interface LeaseOptions {
  readonly store: EventStore
  /** The name of the watch. */
  readonly name: string
  /** Who this process is: another text for each. */
  readonly holder: string
  /** After so much silence others may take the lease; it is renewed three times in it. */
  readonly silenceMs: number
  readonly newId: () => string
  /** Milliseconds of a steady clock: how long a lease was silent is measured here, never read from another machine's clock. */
  readonly steadyClock: () => number
}

/** A lease that is held. */
export interface HeldLease {
  /** Aborted once it may be another's. */
  readonly lost: AbortSignal
  /** Gives it back, so that nobody has to wait for the silence. */
  release(): Promise<void>
}

/**
 * Waits for the lease and keeps it. `onStandby` is told the holder that is waited for. Undefined: the signal was aborted first. Throws
 * StoreUnavailableError.
 */
export async function acquireLease(
  options: LeaseOptions,
  { signal, onStandby }: { signal: AbortSignal; onStandby: (holder: string) => void },
): Promise<HeldLease | undefined> {
  const { store, name, silenceMs, steadyClock } = options
  const { stream, last: standing } = await OwnStream.atEnd(store, streamOf(CATEGORY, name))
  let seenAt = steadyClock()
  let holding: Held | undefined
  for (let last = standing; !signal.aborted; last = (await stream.readNew()).at(-1)) {
    if (last) {
      const now = last.type === RELEASED ? undefined : heldIn(last)
      if (now && now.holder !== holding?.holder) onStandby(now.holder)
      holding = now
      seenAt = steadyClock()
    }
    const isFree = !holding || steadyClock() - seenAt >= holding.silenceMs
    if (isFree && (await write(stream, 'LeaseTaken', options)) === 'appended') return keep(stream, options)
    await pauseUnless(signal, silenceMs / 10)
  }
  return undefined
}

function keep(stream: OwnStream, options: LeaseOptions): HeldLease {
  const lost = new AbortController()
  const released = new AbortController()
  // Whatever goes wrong with a renewal, the lease can no longer be counted on.
  const renewing = renew(stream, options, { lost, released: released.signal }).catch(() => lost.abort())
  return {
    lost: lost.signal,
    async release() {
      released.abort()
      await renewing
      if (!lost.signal.aborted) await write(stream, RELEASED, options)
    },
  }
}

/** Writes again and again until it is released, or another one has written, or nothing could be written for too long. */
async function renew(
  stream: OwnStream,
  options: LeaseOptions,
  { lost, released }: { lost: AbortController; released: AbortSignal },
): Promise<void> {
  const { silenceMs, steadyClock } = options
  let renewedAt = steadyClock()
  for (;;) {
    await pauseUnless(released, silenceMs / 3)
    if (released.aborted) return
    const startedAt = steadyClock()
    const renewal = await tryToRenew(stream, options)
    if (renewal === 'appended') renewedAt = startedAt
    if (renewal === 'taken' || startedAt - renewedAt >= silenceMs) return lost.abort()
  }
}

async function tryToRenew(stream: OwnStream, options: LeaseOptions): Promise<OwnAppend | 'unknown'> {
  try {
    return await write(stream, 'LeaseRenewed', options)
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    // What may or may not have been written leaves our place in the stream unknown; reading tells, and tells of others too.
    return (await hasOthersWritten(stream, options)) ? 'taken' : 'unknown'
  }
}

async function hasOthersWritten(stream: OwnStream, { holder }: LeaseOptions): Promise<boolean> {
  try {
    const events = await stream.readNew()
    return events.some((event) => heldIn(event).holder !== holder)
  } catch (error) {
    if (error instanceof StoreUnavailableError) return false
    throw error
  }
}

function heldIn({ data }: RecordedEvent): Held {
  return held.parse(JSON.parse(new TextDecoder().decode(data)))
}

function write(stream: OwnStream, type: string, { holder, silenceMs, newId }: LeaseOptions) {
  return stream.append([jsonEvent({ id: newId(), type, data: { holder, silenceMs } })])
}
