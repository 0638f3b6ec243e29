// Progress of a replay: events, rate and time left, on one line of the terminal's standard error, and nowhere else.
import type { Progress } from '../engine/replay.js'
import type { Context } from './context.js'

/** Drawn again at most this often. */
const EVERY_MS = 100

/** A line that is drawn over itself; silent where standard error is no terminal. */
export function progressLine({ stderr, clock }: Context): { update(progress: Progress): void; clear(): void } {
  if (!stderr.isTerminal) return { update: () => {}, clear: () => {} }
  let drawnAt = 0
  return {
    update(progress) {
      if (clock() - drawnAt < EVERY_MS) return
      drawnAt = clock()
      stderr.write(`\r\u001b[K${describeProgress(progress)}`)
    },
    clear: () => stderr.write('\r\u001b[K'),
  }
}

/** `12,000 events, 480,000/s, 40 %, 3 s left`. */
export function describeProgress({ events, fraction, elapsedMs }: Progress): string {
  const seconds = Math.max(elapsedMs, 1) / 1000
  const parts = [`${events.toLocaleString('en')} events`, `${Math.round(events / seconds).toLocaleString('en')}/s`]
  if (fraction !== undefined && fraction > 0) {
    parts.push(`${Math.floor(fraction * 100)} %`, `${Math.ceil((seconds * (1 - fraction)) / fraction)} s left`)
  }
  return parts.join(', ')
}
