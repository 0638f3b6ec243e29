import { describe, expect, it } from 'vitest'
import { boundedAuthority, type UncheckedAuthority } from '../../src/authorities/bounded-authority.js'

const CALL = { key: 'k', request: { bookingId: 'B1' } }
const never = () => new Promise(() => undefined)

function authority(parts: Partial<UncheckedAuthority>, timeoutMs = 1_000) {
  return boundedAuthority({ name: 'mine', lookUp: never, issue: never, ...parts }, { timeoutMs })
}

describe('a bounded authority', () => {
  it('hands on what has the right shape, without what is not of it', async () => {
    const mine = authority({
      lookUp: async () => ({ kind: 'found', answer: { ticketNumber: '1' }, more: 1 }),
      issue: () => ({ kind: 'refused', code: 'NO', message: 'no', retryable: false }),
      admits: ({ generated }) => (generated ? { kind: 'admitted' } : { kind: 'refused', message: 'real' }),
    })
    expect(await mine.lookUp(CALL)).toEqual({ kind: 'found', answer: { ticketNumber: '1' } })
    expect(await mine.issue(CALL)).toEqual({ kind: 'refused', code: 'NO', message: 'no', retryable: false })
    expect(await mine.admits?.({ generated: true })).toEqual({ kind: 'admitted' })
    expect(await mine.admits?.({ generated: false })).toEqual({ kind: 'refused', message: 'real' })
    expect(mine.name).toBe('mine')
  })

  it('has no admission where the inner one has none', () => {
    expect(authority({})).not.toHaveProperty('admits')
  })

  it.each([
    ['nothing', undefined],
    ['text', 'done'],
    ['another kind', { kind: 'found', answer: {} }],
    ['no answer', { kind: 'done' }],
    ['a list for an answer', { kind: 'done', answer: [] }],
    ['an answer that is not JSON', { kind: 'done', answer: { at: new Date(0) } }],
    ['a refusal without a code', { kind: 'refused', code: '', message: '', retryable: true }],
    ['a refusal that leaves open whether to ask again', { kind: 'refused', code: 'NO', message: '' }],
  ])('takes %s for unknown', async (_, answer) => {
    expect((await authority({ issue: () => answer }).issue(CALL)).kind).toBe('unknown')
  })

  it('takes what is thrown, now or later, for unknown and says what it was', async () => {
    const cause = new Error('connect ECONNREFUSED')
    const thrower = authority({
      lookUp: () => {
        throw new Error('broken')
      },
      issue: async () => {
        throw new TypeError('fetch failed', { cause })
      },
    })
    expect(await thrower.lookUp(CALL)).toEqual({ kind: 'unknown', message: 'mine: broken' })
    expect(await thrower.issue(CALL)).toEqual({ kind: 'unknown', message: 'mine: fetch failed (connect ECONNREFUSED)' })
    const text = authority({ issue: () => Promise.reject('x'.repeat(1_000)) })
    expect((await text.issue(CALL)) as { message: string }).toHaveProperty('message.length', 500)
  })

  it('gives up on silence after its time, and tells the inner one', async () => {
    let told: AbortSignal | undefined
    const silent = authority(
      {
        issue: ({ signal }) => {
          told = signal
          return never()
        },
      },
      20,
    )
    expect(await silent.issue(CALL)).toEqual({ kind: 'unknown', message: 'mine: no answer within 20 ms' })
    expect(told?.aborted).toBe(true)
  })

  it('ends when the caller gives up, before or while it is asked', async () => {
    const silent = authority({})
    const givenUp = { kind: 'unknown', message: 'mine: the call was given up' }
    expect(await silent.issue({ ...CALL, signal: AbortSignal.abort() })).toEqual(givenUp)
    const controller = new AbortController()
    const asked = silent.lookUp({ ...CALL, signal: controller.signal })
    controller.abort()
    expect(await asked).toEqual(givenUp)
  })
})
