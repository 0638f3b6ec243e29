// The oracle itself, on histories small enough to judge by eye.
import { describe, expect, it } from 'vitest'
import { judgeStore, type Verdict } from './airline-oracle.js'
import {
  ADULT,
  atMinute,
  captured,
  euro,
  INFANT,
  issued,
  requested,
  type Statement,
  say,
  streamsOf,
} from './histories.js'

const FIRST = '1250000000001'
const SECOND = '1250000000002'
const BOTH = [issued('ada', FIRST), issued('ivy', SECOND)]

function judge(statements: readonly Statement[], minute = 60): Verdict {
  const verdict = judgeStore(streamsOf('7', statements), new Date(atMinute(minute))).get('7')
  if (verdict === undefined) throw new Error('no verdict on booking 7')
  return verdict
}

const refund = { refundId: 'r1', captureId: 'c1', amount: euro(10_000) }
const dispute = { disputeId: 'd1', captureId: 'c1', amount: euro(30_000) }

describe('the oracle finds', () => {
  const cases: readonly (readonly [what: string, statements: readonly Statement[], rules: readonly string[]])[] = [
    ['nothing where all is ticketed', [requested(), captured(), ...BOTH], []],
    ['a booking paid and not ticketed', [requested(), captured()], ['paid-not-ticketed']],
    [
      'an infant forgotten',
      [requested(), captured(), issued('ada', FIRST)],
      ['infant-not-ticketed', 'partly-ticketed'],
    ],
    ['a capture said twice', [requested(), captured(), captured(), ...BOTH], ['duplicate-event']],
    [
      'a capture said twice in two ways',
      [requested(), captured(), captured({ amount: euro(29_999) }), ...BOTH],
      ['conflicting-duplicate'],
    ],
    ['too little money', [requested(), captured({ amount: euro(29_999) })], ['underpaid']],
    ['too much money', [requested(), captured({ amount: euro(30_001) }), ...BOTH], ['overpaid']],
    [
      'money that came twice',
      [requested(), captured(), captured({ captureId: 'c2', pspReference: 'psp2' }), ...BOTH],
      ['duplicate-payment', 'overpaid'],
    ],
    ['money going back', [requested(), captured(), say(9, 'RefundRequested', refund)], ['refund-pending', 'underpaid']],
    [
      'a refund under tickets',
      [requested(), captured(), ...BOTH, say(9, 'RefundSucceeded', refund)],
      ['ticketed-not-funded', 'underpaid'],
    ],
    ['a dispute', [requested(), captured(), ...BOTH, say(9, 'DisputeOpened', dispute)], ['dispute']],
    [
      'nothing in a dispute won',
      [requested(), captured(), ...BOTH, say(9, 'DisputeOpened', dispute), say(10, 'DisputeWon', dispute)],
      [],
    ],
    [
      'a refund of money that never came',
      [requested(), captured(), ...BOTH, say(9, 'RefundFailed', { ...refund, captureId: 'c9' })],
      ['impossible-order'],
    ],
    [
      'a cancelled order still paid',
      [requested(), captured(), say(9, 'OrderCancelled', { orderVersion: 2, reason: 'customer' })],
      ['cancelled-still-paid', 'paid-not-ticketed'],
    ],
    [
      'a void ticket not replaced',
      [requested(), captured(), ...BOTH, say(9, 'TicketVoided', { ticketNumber: FIRST })],
      ['voided-not-replaced'],
    ],
    [
      'an exchange without its new ticket',
      [
        requested(),
        captured(),
        ...BOTH,
        say(9, 'TicketExchanged', { oldTicketNumber: FIRST, newTicketNumber: '1250000000009' }),
      ],
      ['exchange-broken'],
    ],
    [
      'a number of twelve digits',
      [requested(), captured(), issued('ada', FIRST), issued('ivy', '125000000000')],
      ['ticket-number-malformed'],
    ],
    [
      'a conjunction with a hole',
      [
        requested(),
        captured(),
        issued('ada', FIRST, { conjunctionNumbers: ['1250000000003'] }),
        issued('ivy', '1250000000007'),
      ],
      ['conjunction-broken'],
    ],
    [
      'two tickets for one flight',
      [requested(), captured(), ...BOTH, issued('ada', '1250000000009')],
      ['duplicate-ticket'],
    ],
    [
      'one number on two passengers',
      [requested(), captured(), issued('ada', FIRST), issued('ivy', FIRST)],
      ['conflicting-duplicate', 'infant-not-ticketed', 'partly-ticketed', 'ticket-number-reused'],
    ],
    [
      'a ticket for a stranger',
      [requested(), captured(), ...BOTH, issued('eve', '1250000000009')],
      ['unknown-passenger'],
    ],
    ['tickets and no payment', BOTH, ['ticket-without-payment']],
    ['an order never seen', [captured()], ['order-unknown']],
    ['an event of a type nobody knows', [requested(), captured(), ...BOTH, say(9, 'TicketFolded')], ['unknown-event']],
    ['a negative amount', [requested(), captured({ amount: euro(-1) })], ['unknown-event']],
  ]
  it.each(cases)('%s', (_what, statements, rules) => {
    expect(judge(statements).rules).toEqual(rules)
  })
})

describe('the oracle lets a machine repair', () => {
  it('those who have no ticket of a whole and paid order', () => {
    expect(judge([requested(), captured()]).repairablePassengers).toEqual(['ada', 'ivy'])
    expect(judge([requested(), captured(), issued('ada', FIRST)]).repairablePassengers).toEqual(['ivy'])
  })

  it.each([
    ['before the grace period is over', [requested(), captured()], 15],
    ['less than two hours before the limit', [requested({ ticketingTimeLimit: atMinute(180) }), captured()], 60],
    ['less than a day before departure', [requested(), captured()], 14_400 - 24 * 60],
    [
      'while an attempt is under way',
      [requested(), captured(), say(55, 'TicketIssueRequested', { attemptId: 'a1', passengerIds: ['ada', 'ivy'] })],
      60,
    ],
    [
      'while an attempt is under way for another passenger',
      [
        requested(),
        captured(),
        issued('ada', FIRST),
        say(55, 'TicketIssueRequested', { attemptId: 'a1', passengerIds: ['ada'] }),
      ],
      60,
    ],
    [
      'while somebody travels',
      [
        requested(),
        captured(),
        issued('ada', FIRST),
        say(9, 'CouponStatusChanged', { ticketNumber: FIRST, couponNumber: 1, from: 'OPEN', to: 'CHECKED_IN' }),
      ],
      60,
    ],
    ['while money is held for review', [requested(), captured(), say(9, 'PaymentReviewHeld', { reason: 'fraud' })], 60],
  ] as const)('nobody %s', (_when, statements, minute) => {
    expect(judge(statements, minute).mayBeRepaired).toBe(false)
  })

  it('those for whom a repair has asked already, at any time', () => {
    const claim = { attemptId: 'a1', passengerIds: ['ada'], origin: 'REPAIR', occurrence: '["ada","TKT",0]' }
    const verdict = judge([requested(), captured(), say(30, 'TicketIssueRequested', claim)])
    expect(verdict).toEqual({
      rules: ['paid-not-ticketed'],
      mayBeRepaired: true,
      repairablePassengers: ['ada', 'ivy'],
    })
  })

  it('nobody whose stream lost its beginning', () => {
    const events = streamsOf('7', [requested(), captured(), issued('ada', FIRST), issued('ivy', SECOND)])
    const verdict = judgeStore(events.slice(1), new Date(atMinute(60))).get('7')
    expect(verdict).toMatchObject({ mayBeRepaired: false, rules: ['history-incomplete', 'order-unknown'] })
  })

  it('nobody of two bookings with one ticket number', () => {
    const events = ['7', '8'].flatMap((id) => streamsOf(id, [requested(), captured(), issued('ada', FIRST)]))
    const verdicts = judgeStore(events, new Date(atMinute(60)))
    for (const id of ['7', '8']) {
      expect(verdicts.get(id)?.rules).toContain('ticket-number-reused')
      expect(verdicts.get(id)?.mayBeRepaired).toBe(false)
    }
  })

  it('the infant of an order without one adult named', () => {
    const { accompaniedBy: _adult, ...infant } = INFANT
    const verdict = judge([requested({ passengers: [ADULT, infant] }), captured(), issued('ada', FIRST)])
    expect(verdict.repairablePassengers).toEqual(['ivy'])
  })
})
