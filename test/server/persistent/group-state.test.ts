// What a group does with its events, rule by rule.
import { describe, expect, it } from 'vitest'
import { GroupState } from '../../../src/server/persistent/group-state.js'
import type { GroupEffect, GroupEvent, GroupRules } from '../../../src/server/persistent/group-steps.js'
import type { Remainder } from '../../../src/server/persistent/progress.js'

const RULES: GroupRules = {
  strategy: 'RoundRobin',
  maxRetryCount: 10,
  messageTimeoutMs: 30_000,
  bufferSize: 500,
  readBatchSize: 20,
  checkpoints: { afterMs: 2_000, atLeast: 10, atMost: 1_000 },
}

/** A group with consumers that have room for so many events each, and a short way to say what happens. */
function groupOf(rules: Partial<GroupRules>, slots: readonly number[] = []) {
  const state = new GroupState<GroupEvent>({ ...RULES, ...rules }, { left: { place: undefined }, nowMs: 0 })
  const join = (consumer: string, room: number) => [
    ...state.apply({ kind: 'joined', consumer, slots: room }, 0),
    ...state.apply({ kind: 'ready', consumer }, 0),
  ]
  slots.forEach((room, i) => {
    join(`c${i}`, room)
  })
  return {
    state,
    join,
    leave: (consumer: string) => state.apply({ kind: 'left', consumer }, 0),
    read: (...ids: string[]) => state.apply({ kind: 'read', events: ids.map(eventOf) }, 0),
    ack: (consumer: string, ...ids: string[]) => state.apply({ kind: 'acked', consumer, ids }, 0),
    nack: (consumer: string, action: 'retry' | 'park' | 'skip', ...ids: string[]) =>
      state.apply({ kind: 'nacked', consumer, ids, action, reason: 'why' }, 0),
    tick: (nowMs: number) => state.apply({ kind: 'ticked' }, nowMs),
  }
}

let places = 0

/** `b3` is pinned by `b`. */
function eventOf(id: string): GroupEvent {
  places += 1
  return { id, place: `${id}@${places}`, pin: id.slice(0, 1), bytes: 1 }
}

/** `c0: a, c1: b+1`: who is given what, and the how manieth time. */
function given(effects: readonly GroupEffect<GroupEvent>[]): string[] {
  return effects.flatMap((effect) =>
    effect.kind === 'give'
      ? [`${effect.consumer}: ${effect.event.id}${effect.retryCount > 0 ? `+${effect.retryCount}` : ''}`]
      : [],
  )
}

function parked(effects: readonly GroupEffect<GroupEvent>[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'park' ? [`${effect.event.id}: ${effect.reason}`] : []))
}

function checkpoints(effects: readonly GroupEffect<GroupEvent>[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'checkpoint' ? [textOf(effect.left)] : []))
}

/** `a`: settled up to a; `a, c but b`: and up to c, but for b. */
function textOf({ place, takenTo, open }: Remainder): string {
  const [settled, beyond, but] = [[place], [takenTo], open].map((list) => list?.map((at) => at?.replace(/@.*/, '')))
  return takenTo === undefined ? `${settled}` : `${settled}, ${beyond} but ${but}`
}

describe('RoundRobin', () => {
  it('gives one event to each consumer in turn', () => {
    const group = groupOf({ strategy: 'RoundRobin' }, [5, 5])
    expect(given(group.read('a', 'b', 'c'))).toEqual(['c0: a', 'c1: b', 'c0: c'])
  })

  it('passes over a consumer that is full', () => {
    const group = groupOf({ strategy: 'RoundRobin' }, [1, 5])
    expect(given(group.read('a', 'b', 'c', 'd'))).toEqual(['c0: a', 'c1: b', 'c1: c', 'c1: d'])
  })
})

describe('a consumer', () => {
  it('is given no more than it can be trusted to keep in memory, whatever it asks for', () => {
    const group = groupOf({}, [1_000_000, 5])
    const large = (id: string) => ({ ...eventOf(id), bytes: 20 * 1024 * 1024 })
    group.state.apply({ kind: 'read', events: [large('a')] }, 0)
    group.ack('c1', 'a')
    expect(given(group.state.apply({ kind: 'read', events: ['b', 'c', 'd', 'e'].map(large) }, 0))).toEqual([
      'c1: b',
      'c0: c',
      'c1: d',
    ])
  })
})

describe('DispatchToSingle', () => {
  it('stays with a consumer until it is full and then goes on to the next', () => {
    const group = groupOf({ strategy: 'DispatchToSingle' }, [2, 2])
    expect(given(group.read('a', 'b', 'c'))).toEqual(['c0: a', 'c0: b', 'c1: c'])
    expect(given(group.ack('c0', 'a'))).toEqual([])
    expect(given(group.read('d', 'e'))).toEqual(['c1: d', 'c0: e'])
  })
})

describe.each(['Pinned', 'PinnedByCorrelation'] as const)('%s', (strategy) => {
  it('gives what has one pin to one consumer', () => {
    const group = groupOf({ strategy }, [10, 10])
    expect(given(group.read('a1', 'b1', 'a2', 'b2', 'a3'))).toEqual(['c0: a1', 'c1: b1', 'c0: a2', 'c1: b2', 'c0: a3'])
  })

  it('lets an event wait for its consumer, and others pass it', () => {
    const group = groupOf({ strategy }, [1, 1])
    expect(given(group.read('a1', 'b1', 'a2', 'b2'))).toEqual(['c0: a1', 'c1: b1'])
    expect(given(group.ack('c1', 'b1'))).toEqual(['c1: b2'])
    expect(given(group.ack('c0', 'a1'))).toEqual(['c0: a2'])
  })

  it('gives the pins of a consumer that leaves to the others', () => {
    const group = groupOf({ strategy }, [10, 10])
    group.read('a1', 'b1')
    expect(given(group.leave('c0'))).toEqual(['c1: a1+1'])
    expect(given(group.read('a2'))).toEqual(['c1: a2'])
  })

  it('gives a consumer that comes its share, but of a pin only when nothing of it is out', () => {
    const group = groupOf({ strategy }, [10])
    group.read('a1', 'b1')
    group.join('c1', 10)
    expect(given(group.read('a2', 'b2'))).toEqual(['c0: a2', 'c0: b2'])
    group.ack('c0', 'a1', 'a2')
    expect(given(group.read('a3', 'b3'))).toEqual(['c1: a3', 'c0: b3'])
  })

  it('pins nothing to a consumer without room for anything', () => {
    const group = groupOf({ strategy }, [0, 10])
    expect(given(group.read('a1', 'b1', 'c1'))).toEqual(['c1: a1', 'c1: b1', 'c1: c1'])
  })
})

describe('an event that was not dealt with', () => {
  it('goes before all that were never given, in the order of the source', () => {
    const group = groupOf({}, [2])
    group.read('a', 'b', 'c', 'd')
    group.state.apply({ kind: 'held', consumer: 'c0' }, 0)
    group.nack('c0', 'retry', 'b')
    group.nack('c0', 'retry', 'a')
    expect(given(group.state.apply({ kind: 'ready', consumer: 'c0' }, 0))).toEqual(['c0: a+1', 'c0: b+1'])
    expect(given(group.ack('c0', 'a', 'b'))).toEqual(['c0: c', 'c0: d'])
  })

  it('comes again so often and is then parked', () => {
    const group = groupOf({ maxRetryCount: 1 }, [2])
    group.read('a')
    expect(given(group.nack('c0', 'retry', 'a'))).toEqual(['c0: a+1'])
    expect(parked(group.nack('c0', 'retry', 'a'))).toEqual(['a: Reached retry count of 1'])
  })

  it('comes again when no answer came in time, and not before', () => {
    const group = groupOf({ messageTimeoutMs: 100 }, [2])
    group.read('a')
    expect(given(group.tick(99))).toEqual([])
    expect(given(group.tick(100))).toEqual(['c0: a+1'])
  })

  it.each([0, -1])('is waited for without end where the time-out is %d', (messageTimeoutMs) => {
    const group = groupOf({ messageTimeoutMs }, [2])
    group.read('a')
    expect(group.tick(1e12)).toEqual([])
  })

  it('is not parked because its consumer left', () => {
    const group = groupOf({ maxRetryCount: 0 }, [1, 1])
    group.read('a', 'b')
    expect(given(group.leave('c0'))).toEqual([])
    expect(given(group.ack('c1', 'b'))).toEqual(['c1: a+1'])
  })

  it('comes again where it could not be parked', () => {
    const group = groupOf({}, [1])
    group.read('a')
    const [effect] = group.nack('c0', 'park', 'a')
    expect(effect).toMatchObject({ kind: 'park', reason: "Client explicitly NAK'ed message.\nwhy" })
    const ticket = effect?.kind === 'park' ? effect.ticket : 0
    expect(given(group.state.apply({ kind: 'notParked', ticket }, 0))).toEqual(['c0: a'])
  })
})

describe('an answer', () => {
  it('of another consumer than the one that holds the event is none', () => {
    const group = groupOf({}, [1, 1])
    group.read('a', 'b')
    group.ack('c1', 'a')
    group.nack('c1', 'park', 'a')
    expect(group.state.counts).toMatchObject({ inFlight: 2, parking: 0 })
  })

  it('that is given twice counts once', () => {
    const group = groupOf({}, [5])
    group.read('a', 'b')
    group.ack('c0', 'a', 'a')
    group.nack('c0', 'retry', 'a')
    expect(group.state.counts).toMatchObject({ inFlight: 1, again: 0 })
  })

  it('settles one of two events with one id, and then the other comes', () => {
    const group = groupOf({}, [5])
    expect(given(group.read('a', 'a', 'b'))).toEqual(['c0: a', 'c0: b'])
    expect(given(group.ack('c0', 'a'))).toEqual(['c0: a'])
  })
})

describe('a checkpoint', () => {
  it('is made at once when so many events are settled', () => {
    const group = groupOf({ checkpoints: { afterMs: 0, atLeast: 1, atMost: 2 } }, [9])
    group.read('a', 'b', 'c', 'd')
    expect(checkpoints(group.ack('c0', 'a'))).toEqual([])
    expect(checkpoints(group.ack('c0', 'b'))).toEqual(['b'])
  })

  it('is made after a time when fewer are settled, but not for too few', () => {
    const group = groupOf({ checkpoints: { afterMs: 100, atLeast: 2, atMost: 1_000 } }, [9])
    group.read('a', 'b', 'c')
    group.ack('c0', 'a')
    expect(checkpoints(group.tick(200))).toEqual([])
    group.ack('c0', 'b')
    expect(checkpoints(group.tick(300))).toEqual(['b'])
    group.ack('c0', 'c')
    expect(checkpoints(group.tick(10_000))).toEqual([])
  })

  it('does not pass an event that is open, one on its way to be parked included, but names it', () => {
    const group = groupOf({ checkpoints: { afterMs: 0, atLeast: 1, atMost: 1 } }, [9])
    group.read('a', 'b', 'c', 'd')
    expect(checkpoints(group.nack('c0', 'park', 'b'))).toEqual([])
    expect(checkpoints(group.ack('c0', 'a', 'd'))).toEqual(['a, d but b,c'])
    expect(checkpoints(group.state.apply({ kind: 'parked', ticket: 2 }, 0))).toEqual(['b, d but c'])
    expect(checkpoints(group.ack('c0', 'c'))).toEqual(['d'])
  })

  it('goes on to be made while one event stays open', () => {
    const group = groupOf({ checkpoints: { afterMs: 0, atLeast: 1, atMost: 2 } }, [9])
    group.read('a', 'b', 'c', 'd', 'e')
    expect(checkpoints(group.ack('c0', 'b', 'c'))).toEqual([', e but a,d,e'])
    expect(checkpoints(group.ack('c0', 'd', 'e'))).toEqual([', e but a'])
  })

  it('names no more than thousands of open events, and then is made only where its place moves', () => {
    const group = groupOf({ checkpoints: { afterMs: 0, atLeast: 1, atMost: 1 } }, [10_000])
    group.read(...Array.from({ length: 6_000 }, (_, n) => `e${n}`))
    expect(checkpoints(group.ack('c0', 'e1'))).toEqual([])
    expect(checkpoints(group.ack('c0', 'e0'))).toEqual(['e1'])
  })

  it('is not made by events that were parked and came again', () => {
    const group = groupOf({ checkpoints: { afterMs: 0, atLeast: 1, atMost: 1 } }, [9])
    group.state.apply({ kind: 'replayed', events: [{ event: eventOf('p'), parkedAt: 0 }] }, 0)
    expect(group.ack('c0', 'p')).toEqual([])
    expect(group.tick(10_000)).toEqual([])
  })
})

describe('reading', () => {
  it('goes on as long as fewer events wait than there may', () => {
    const group = groupOf({ bufferSize: 3 }, [1])
    group.read('a', 'b', 'c')
    expect(group.state.wantsMore).toBe(true)
    group.read('d')
    expect(group.state.wantsMore).toBe(false)
    group.ack('c0', 'a')
    expect(group.state.wantsMore).toBe(true)
  })

  it('stops where what waits is large, however few events that are', () => {
    const group = groupOf({}, [1])
    group.state.apply({ kind: 'read', events: [{ ...eventOf('a'), bytes: 1 }] }, 0)
    group.state.apply({ kind: 'read', events: [{ ...eventOf('b'), bytes: 16 * 1024 * 1024 }] }, 0)
    expect(group.state.wantsMore).toBe(false)
    expect(given(group.ack('c0', 'a'))).toEqual(['c0: b'])
    expect(group.state.wantsMore).toBe(true)
  })

  it('takes less where nobody consumes', () => {
    const group = groupOf({ bufferSize: 500, readBatchSize: 2 })
    group.read('a')
    expect(group.state.wantsMore).toBe(true)
    group.read('b')
    expect(group.state.wantsMore).toBe(false)
  })
})
