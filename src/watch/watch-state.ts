// What a watch is doing, as a pure state machine: every state and every event is a cell of one table, and a missing cell does not
// compile. What follows from a state (whether alerts are given, whether it counts as ready) is said beside it.

export const WATCH_STATES = [
  'starting',
  'catching-up',
  'live',
  'fell-behind',
  'reconnecting',
  'draining',
  'stopped',
] as const

/** `draining`: what was folded is judged, told and saved, and nothing more is read. */
export type WatchState = (typeof WATCH_STATES)[number]

export const WATCH_EVENTS = ['subscribed', 'caught-up', 'fell-behind', 'disconnected', 'drain', 'ended'] as const

/**
 * `disconnected`: the subscription ended, with an error or gracefully. `drain`: somebody asked it to end. `ended`: nothing is left to be
 * done, or nothing more can be.
 */
export type WatchEvent = (typeof WATCH_EVENTS)[number]

/**
 * The table. A subscription that was lost may still tell of itself, so what it says is passed over in every state that has none; a drain
 * that was asked for is not taken back.
 */
const TABLE: Readonly<Record<WatchState, Readonly<Record<WatchEvent, WatchState>>>> = {
  starting: {
    subscribed: 'catching-up',
    'caught-up': 'starting',
    'fell-behind': 'starting',
    disconnected: 'reconnecting',
    drain: 'draining',
    ended: 'stopped',
  },
  'catching-up': {
    subscribed: 'catching-up',
    'caught-up': 'live',
    'fell-behind': 'catching-up',
    disconnected: 'reconnecting',
    drain: 'draining',
    ended: 'stopped',
  },
  live: {
    subscribed: 'live',
    'caught-up': 'live',
    'fell-behind': 'fell-behind',
    disconnected: 'reconnecting',
    drain: 'draining',
    ended: 'stopped',
  },
  'fell-behind': {
    subscribed: 'fell-behind',
    'caught-up': 'live',
    'fell-behind': 'fell-behind',
    disconnected: 'reconnecting',
    drain: 'draining',
    ended: 'stopped',
  },
  reconnecting: {
    subscribed: 'catching-up',
    'caught-up': 'reconnecting',
    'fell-behind': 'reconnecting',
    disconnected: 'reconnecting',
    drain: 'draining',
    ended: 'stopped',
  },
  draining: {
    subscribed: 'draining',
    'caught-up': 'draining',
    'fell-behind': 'draining',
    disconnected: 'draining',
    drain: 'draining',
    ended: 'stopped',
  },
  stopped: {
    subscribed: 'stopped',
    'caught-up': 'stopped',
    'fell-behind': 'stopped',
    disconnected: 'stopped',
    drain: 'stopped',
    ended: 'stopped',
  },
}

/** The state after an event; the same one where the event means nothing to it. */
export function nextState(state: WatchState, event: WatchEvent): WatchState {
  return TABLE[state][event]
}

/**
 * Whether the log is known to its end, so that what is missing is missing and not only unread. In every other state findings are withheld:
 * the watch itself lags.
 */
export function isCurrent(state: WatchState): boolean {
  return state === 'live'
}

/** Whether the watch lags behind the log without anybody having asked it to. */
export function isLagging(state: WatchState): boolean {
  return state !== 'live' && state !== 'draining' && state !== 'stopped'
}
