// Names of streams: category and subject are split at the first dash, and metadata streams are told apart.
import { describe, expect, it } from 'vitest'
import { categoryOf, describedBy, metadataStreamOf, prefixesOf, streamOf, subjectOf } from '../../src/log/stream.js'

describe('stream names', () => {
  it.each([
    ['payment-42', 'payment', '42'],
    ['payment-a-b-c', 'payment', 'a-b-c'],
    ['makegood.campaign-1', 'makegood.campaign', '1'],
    ['payment--', 'payment', '-'],
    ['payment-', 'payment', undefined],
    ['payment', undefined, undefined],
    ['-42', '', '42'],
    ['-', '', undefined],
    ['', undefined, undefined],
    ['payment-\u{1F6EB}', 'payment', '\u{1F6EB}'],
  ])('%j is of category %j and subject %j', (stream, category, subject) => {
    expect(categoryOf(stream)).toBe(category)
    expect(subjectOf(stream)).toBe(subject)
  })

  it('are put together from category and subject, however the subject looks', () => {
    expect(streamOf('ticket', 'a-b')).toBe('ticket-a-b')
    expect(subjectOf(streamOf('ticket', 'a-b'))).toBe('a-b')
  })

  it('of metadata describe another stream, those of metadata about metadata too', () => {
    expect(metadataStreamOf('payment-42')).toBe('$$payment-42')
    expect(describedBy('$$payment-42')).toBe('payment-42')
    expect(describedBy('$$$$payment-42')).toBe('$$payment-42')
    expect(describedBy('payment-42')).toBeUndefined()
    expect(describedBy('$payment-42')).toBeUndefined()
  })

  it('of categories and of their metadata begin with the prefixes that are asked for, those of longer categories do not', () => {
    const prefixes = prefixesOf(['payment', 'ticket'])
    const wanted = (stream: string) => prefixes.some((prefix) => stream.startsWith(prefix))
    expect(['payment-1', '$$payment-1', 'ticket-', '$$ticket-9'].filter((stream) => !wanted(stream))).toEqual([])
    expect(
      ['payments-1', 'paymentlog-1', 'ticket', '$payment-1', 'x-payment-1', '$$$$payment-1'].filter(wanted),
    ).toEqual([])
  })
})
