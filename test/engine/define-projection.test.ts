// What defineProjection refuses: each refusal names the projection and the field, for somebody who writes their first one.
import { describe, expect, it } from 'vitest'
import { defineProjection, InvalidProjectionError } from '../../src/engine/projection.js'
import { airline } from '../controls/airline.js'
import { parcels } from '../controls/parcels.js'

const define = (projection: unknown) => () => defineProjection(projection as typeof airline)
const [firstRule] = parcels.rules
const withRule = (fields: object) => ({ ...parcels, rules: [{ ...firstRule, ...fields }] })
const sharedKey = airline.sharedKeys?.[0]

describe('defineProjection', () => {
  it('gives back what it was given', () => {
    expect(defineProjection(airline)).toBe(airline)
    expect(defineProjection(parcels)).toBe(parcels)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /object/],
    ['null', null, /object/],
    ['text', 'booking', /object/],
    ['no name', { ...parcels, name: undefined }, /^name: .*kebab-case/],
    ['a name that is not kebab-case', { ...parcels, name: 'My Projection' }, /^name: .*"My Projection"/],
    ['no version', { ...parcels, version: undefined }, /^parcels: version: /],
    ['an empty version', { ...parcels, version: '' }, /^parcels: version: /],
    ['a number for a version', { ...parcels, version: 1 }, /^parcels: version: /],
    ['no categories', { ...parcels, categories: [] }, /^parcels: categories: /],
    ['a category with a dash', { ...parcels, categories: ['pay-ment'] }, /^parcels: categories: /],
    ['a category of the system', { ...parcels, categories: ['$ce'] }, /^parcels: categories: /],
    ['a category of Makegood', { ...parcels, categories: ['makegood.case'] }, /^parcels: categories: /],
    ['an empty category', { ...parcels, categories: [''] }, /^parcels: categories: /],
    ['no schemas', { ...parcels, events: undefined }, /^parcels: events: /],
    ['null for schemas', { ...parcels, events: null }, /^parcels: events: /],
    ['a schema that is none', { ...parcels, events: { Paid: 'number' } }, /^parcels: events: Paid: /],
    ['upcasts that are none', { ...parcels, upcasts: 1 }, /^parcels: upcasts: /],
    [
      'an upcast of a type without a schema',
      { ...parcels, upcasts: { Sold: {} } },
      /^parcels: upcasts: Sold: no schema/,
    ],
    ['an upcast that is no function', { ...parcels, upcasts: { Paid: { 1: 'x' } } }, /^parcels: upcasts: Paid: 1: /],
    [
      'a version that is left out',
      { ...parcels, upcasts: { Paid: { 1: Object, 3: Object } } },
      /^parcels: upcasts: Paid: 3: .*without a gap/,
    ],
    ['an occurredAt that is no function', { ...parcels, occurredAt: 'at' }, /^parcels: occurredAt: /],
    ['no initial', { ...parcels, initial: undefined }, /^parcels: initial: /],
    ['no evolve', { ...parcels, evolve: 'fold' }, /^parcels: evolve: /],
    ['no rules', { ...parcels, rules: undefined }, /^parcels: rules: /],
    ['a rule that is none', { ...parcels, rules: [null] }, /^parcels: rules: /],
    ['a rule without an id', withRule({ id: undefined }), /^parcels: rules: id: /],
    ['a rule whose id is not kebab-case', withRule({ id: 'NotSent' }), /^parcels: rules: id: .*"NotSent"/],
    ['a rule twice', { ...parcels, rules: [firstRule, firstRule] }, /^parcels: rules: paid-not-sent is there twice/],
    ['a rule of the engine', withRule({ id: 'unknown-event' }), /^parcels: rules: unknown-event .*engine's own/],
    ['a rule without a severity', withRule({ severity: undefined }), /^parcels: paid-not-sent: severity: /],
    ['a severity of 5', withRule({ severity: 5 }), /^parcels: paid-not-sent: severity: .*1.*4/],
    ['a disposition nobody knows', withRule({ disposition: 'fix' }), /^parcels: paid-not-sent: disposition: /],
    ['a rule without conditions', withRule({ when: undefined }), /^parcels: paid-not-sent: when: /],
    ['a condition that is no function', withRule({ when: { paid: true } }), /^parcels: paid-not-sent: when: paid: /],
    ['a rule without evidence', withRule({ evidence: undefined }), /^parcels: paid-not-sent: evidence: /],
    ['shared keys that are no list', { ...airline, sharedKeys: 5 }, /^airline: sharedKeys: /],
    [
      'a shared key with the id of a rule',
      { ...airline, sharedKeys: [{ ...sharedKey, id: 'refund-pending' }] },
      /twice/,
    ],
    [
      'a shared key without keys',
      { ...airline, sharedKeys: [{ ...sharedKey, keys: 1 }] },
      /^airline: ticket-number-reused: keys: /,
    ],
    ['a compensate that is no function', { ...parcels, compensate: [] }, /^parcels: compensate: /],
    [
      'a settlement that lacks a part',
      { ...airline, settlement: { ...airline.settlement, failed: undefined } },
      /^airline: settlement: failed: /,
    ],
    ['a settling category that is none', { ...parcels, settledBy: 'letter' }, /^parcels: settledBy: .*categories/],
    [
      'a settling category beside event types of its own',
      { ...parcels, settledBy: parcels.categories[0] },
      /^parcels: settledBy: .*'\*'/,
    ],
    [
      'a settling category beside shared keys',
      { ...airline, events: { '*': parcels.events.Paid }, upcasts: undefined, settledBy: airline.categories[0] },
      /^airline: settledBy: .*sharedKeys/,
    ],
    ['a lookup that is no function', { ...parcels, lookups: { record: 'x' } }, /^parcels: lookups: record: /],
    [
      'a rule that uses a lookup that there is not',
      { ...withRule({ uses: ['weather'] }), lookups: {} },
      /^parcels: rules: paid-not-sent: uses: no lookup weather/,
    ],
    ['a live view that is none', { ...parcels, live: 1 }, /^parcels: live: /],
    ['a live view without deadlines', { ...parcels, live: {} }, /^parcels: live: deadlines: /],
    [
      'a live view whose page is no function',
      { ...parcels, live: { deadlines: () => [], page: 1 } },
      /^parcels: live: page: /,
    ],
    [
      'a flow that is none',
      { ...parcels, live: { deadlines: () => [], flow: { from: 'Paid' } } },
      /^parcels: live: flow: /,
    ],
  ])('refuses %s and says what is wrong', (_, projection, message) => {
    expect(define(projection)).toThrow(InvalidProjectionError)
    expect(define(projection)).toThrow(message)
  })
})
