// The lease of a name: one holds it, others wait; it is given back at once, or taken from whoever is silent, who then knows that it is lost.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { acquireLease, type HeldLease, type LeaseOptions } from '../../src/watch/lease.js'
import { type Faults, FaultyStore } from './faulty-store.js'
import { until } from './watching.js'

/** A steady clock that the test moves. */
class SteadyClock {
  now = 0
  readonly read = () => this.now
}

class Candidate {
  readonly standbys: string[] = []
  lease: HeldLease | undefined
  readonly #end = new AbortController()
  readonly done: Promise<void>

  constructor(store: EventStore, holder: string, clock: SteadyClock, silenceMs = 30) {
    const options: LeaseOptions = { store, name: 'w', holder, silenceMs, newId: randomUUID, steadyClock: clock.read }
    const onStandby = (who: string) => this.standbys.push(who)
    this.done = acquireLease(options, { signal: this.#end.signal, onStandby }).then((lease) => {
      this.lease = lease
    })
  }

  /** Gives up waiting. */
  async leave(): Promise<void> {
    this.#end.abort()
    await this.done
  }
}

const NOBODY: Faults = { draw: () => 1, likelihood: 0 }

describe('a lease', () => {
  it('that is free is taken at once, and given back so that the next one need not wait', async () => {
    const [store, clock] = [openMemoryStore(), new SteadyClock()]
    const first = new Candidate(store, 'first', clock)
    await first.done
    const second = new Candidate(store, 'second', clock)
    await until(() => second.standbys.length > 0, 'standing by')
    expect([second.standbys, second.lease]).toEqual([['first'], undefined])
    await first.lease?.release()
    await second.done
    expect(second.lease?.lost.aborted).toBe(false)
    await second.lease?.release()
  })

  it('is taken from a holder that was silent for long enough, which then knows', async () => {
    const [store, clock] = [openMemoryStore(), new SteadyClock()]
    const view = new FaultyStore(store, NOBODY)
    const first = new Candidate(view, 'first', clock)
    await first.done
    const second = new Candidate(store, 'second', clock)
    await until(() => second.standbys.length > 0, 'standing by')
    // As good as stopped: nothing that it writes arrives, and it is not told why.
    view.faults.likelihood = 1
    view.faults.draw = () => 0
    clock.now += 31
    await second.done
    view.faults.likelihood = 0
    await until(() => first.lease?.lost.aborted === true, 'the first knows')
    expect(second.lease?.lost.aborted).toBe(false)
    await first.lease?.release()
    await second.lease?.release()
  })

  it('is kept through answers that were lost', async () => {
    const [store, clock] = [openMemoryStore(), new SteadyClock()]
    const view = new FaultyStore(store, { draw: () => 1, likelihood: 0 })
    const first = new Candidate(view, 'first', clock)
    await first.done
    let draws = 0
    view.faults.likelihood = 0.1
    // Now and then an answer is lost after it had its effect.
    view.faults.draw = () => {
      draws += 1
      return draws % 3 === 0 ? 0.15 : 0.9
    }
    await until(() => view.happened.lostAnswers >= 5, 'answers are lost')
    expect(first.lease?.lost.aborted).toBe(false)
    await first.lease?.release().catch(() => {})
  })

  it('is no longer waited for by somebody who is to end', async () => {
    const [store, clock] = [openMemoryStore(), new SteadyClock()]
    const first = new Candidate(store, 'first', clock)
    await first.done
    const second = new Candidate(store, 'second', clock)
    await second.leave()
    expect(second.lease).toBeUndefined()
    await first.lease?.release()
  })
})
