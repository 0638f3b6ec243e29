// The state machine of watch: the whole table, cell by cell, and what must hold whatever comes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isCurrent,
  isLagging,
  nextState,
  WATCH_EVENTS,
  WATCH_STATES,
  type WatchEvent,
  type WatchState,
} from '../../src/watch/watch-state.js'
import { seedFor } from '../controls/seed.js'

/** Rows in the order of WATCH_STATES, cells in the order of WATCH_EVENTS. */
const EXPECTED = `
              subscribed   caught-up    fell-behind  disconnected drain    ended
starting      catching-up  starting     starting     reconnecting draining stopped
catching-up   catching-up  live         catching-up  reconnecting draining stopped
live          live         live         fell-behind  reconnecting draining stopped
fell-behind   fell-behind  live         fell-behind  reconnecting draining stopped
reconnecting  catching-up  reconnecting reconnecting reconnecting draining stopped
draining      draining     draining     draining     draining     draining stopped
stopped       stopped      stopped      stopped      stopped      stopped  stopped`

const [heads = [], ...rows] = EXPECTED.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/))
const CELLS = rows.flatMap(([state, ...cells]) =>
  cells.map((next, index) => [state as WatchState, heads[index] as WatchEvent, next as WatchState] as const),
)

function stateAfter(events: readonly WatchEvent[]): WatchState {
  return events.reduce<WatchState>(nextState, 'starting')
}

describe('the table of states', () => {
  it('is told here in full', () => {
    expect(heads).toEqual(WATCH_EVENTS)
    expect(rows.map(([state]) => state)).toEqual(WATCH_STATES)
    expect(CELLS).toHaveLength(WATCH_STATES.length * WATCH_EVENTS.length)
  })

  it.each(CELLS)('%s, on %s, becomes %s', (state, event, next) => {
    expect(nextState(state, event)).toBe(next)
  })
})

describe('whatever comes', () => {
  const seed = seedFor('states of watch')
  const events = fc.array(fc.constantFrom(...WATCH_EVENTS), { maxLength: 20 })

  it('a watch that was asked to end is never live again', () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        expect(isCurrent(stateAfter([...before, 'drain', ...after]))).toBe(false)
      }),
      { seed },
    )
  })

  it('it is live only when the subscription it now has said that it caught up', () => {
    fc.assert(
      fc.property(events, (told) => {
        const since = told.slice(told.lastIndexOf('disconnected') + 1)
        if (!isCurrent(stateAfter(told))) return
        expect(since).toContain('subscribed')
        expect(since.lastIndexOf('caught-up')).toBeGreaterThan(since.lastIndexOf('fell-behind'))
      }),
      { seed },
    )
  })

  it('it ends, and stays so', () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        expect(stateAfter([...before, 'ended', ...after])).toBe('stopped')
      }),
      { seed },
    )
  })

  it('it is current, lagging, or on its way out, and never two of them', () => {
    expect(WATCH_STATES.filter((state) => isCurrent(state) && isLagging(state))).toEqual([])
    expect(WATCH_STATES.filter((state) => !isCurrent(state) && !isLagging(state))).toEqual(['draining', 'stopped'])
  })
})
