// Upcasting: each old version of an event type is lifted to the current one; what is newer than that is told, not guessed at.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type DecodedEvent, defineProjection } from '../../src/engine/projection.js'
import { replay } from '../../src/engine/replay.js'
import { jsonEvent } from '../../src/log/event.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'

interface Price {
  readonly amountMinor: number
  readonly currency: string
}

/**
 * A price was a number of euros once (1), then of cents (2), and has a currency now (3). What is folded is told as a finding's detail, so that a test sees
 * what the rules see.
 */
const prices = defineProjection<{ seen: Price[]; opened?: DecodedEvent }>({
  name: 'prices',
  version: '3',
  categories: ['price'],
  events: {
    Priced: z.object({
      schemaVersion: z.literal(3).optional(),
      amountMinor: z.int(),
      currency: z.string(),
    }),
    Dropped: z.object({ schemaVersion: z.string().optional() }),
  },
  upcasts: {
    Priced: {
      1: ({ euros, ...rest }) => ({ ...rest, amountMinor: Math.round(Number(euros) * 100) }),
      2: (data) => ({ ...data, currency: 'EUR' }),
    },
  },
  initial: () => ({ seen: [] }),
  evolve: (state, event) => {
    if (event.type === 'Priced') state.seen.push(event.data as Price)
    state.opened ??= event
    return undefined
  },
  rules: [
    {
      id: 'priced',
      title: 'It has a price.',
      severity: 4,
      disposition: 'observe',
      when: { 'an event came': ({ opened }) => opened !== undefined },
      evidence: ({ seen, opened }) => ({
        opened: opened as DecodedEvent,
        detail: { seen: seen.map(({ amountMinor, currency }) => `${amountMinor} ${currency}`) },
      }),
    },
  ],
})

async function found(type: string, data: unknown, metadata?: unknown) {
  const store = openMemoryStore()
  const id = '6f3c1a52-3c6e-4f3c-9a5b-6d1f1f0c2b11'
  await store.append('price-1', [jsonEvent({ id, type, data, metadata })], 'noStream')
  const { findings } = await replay(store, prices, { now: 0 })
  return findings.map(({ rule, detail }) => [rule, rule === 'priced' ? detail.seen : whyOf(detail)])
}

const whyOf = (detail: object) => (detail as { why: { why: string }[] }).why.map(({ why }) => why)

describe('an old version', () => {
  it.each([
    ['1, unnamed', { euros: 12.5 }, undefined],
    ['1, in the data', { schemaVersion: 1, euros: 12.5 }, undefined],
    ['2, in the data', { schemaVersion: 2, amountMinor: 1250 }, undefined],
    ['2, in the metadata', { amountMinor: 1250 }, { schemaVersion: 2 }],
    ['3, the current one', { schemaVersion: 3, amountMinor: 1250, currency: 'EUR' }, undefined],
    ['3, in the metadata', { amountMinor: 1250, currency: 'EUR' }, { schemaVersion: 3 }],
  ])('%s is folded as the current one', async (_, data, metadata) => {
    expect(await found('Priced', data, metadata)).toEqual([['priced', ['1250 EUR']]])
  })
})

describe('what cannot be lifted', () => {
  it.each([
    ['a newer version', { schemaVersion: 4 }, 'schemaVersion 4 is newer than 3, the newest that prices knows'],
    ['a version that is no number', { schemaVersion: 'two' }, 'schemaVersion: expected a whole number from 1 on'],
    ['version 0', { schemaVersion: 0 }, 'schemaVersion: expected a whole number from 1 on, found 0'],
    ['what its schema refuses once it is lifted', { schemaVersion: 2, amountMinor: 'much' }, 'amountMinor: '],
  ])('%s is an unknown event, and says why', async (_, data, why) => {
    expect(await found('Priced', data)).toEqual([['unknown-event', [expect.stringContaining(why)]]])
  })

  it('by an upcast that throws, or that gives nothing, ends no replay', async () => {
    for (const [step, why] of [
      [() => fail(), 'its upcast from version 1 failed: broken'],
      [() => undefined, 'its upcast from version 1 gave no object'],
    ] as const) {
      const broken = defineProjection({
        ...prices,
        upcasts: { Priced: { 1: step as () => object & Record<string, never> } },
      })
      const store = openMemoryStore()
      await store.append(
        'price-1',
        [jsonEvent({ id: '6f3c1a52-3c6e-4f3c-9a5b-6d1f1f0c2b11', type: 'Priced', data: {} })],
        'any',
      )
      const { findings } = await replay(store, broken, { now: 0 })
      expect(findings.map(({ rule, detail }) => [rule, whyOf(detail)])).toEqual([['unknown-event', [why]]])
    }
  })
})

it('a type without upcasts keeps its data, whatever it calls its version', async () => {
  expect(await found('Dropped', { schemaVersion: 'spring' })).toEqual([['priced', []]])
})

function fail(): never {
  throw new Error('broken\nin a second line')
}
