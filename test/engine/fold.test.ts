// The fold: what it makes of streams that are whole, holed, doubled, cut off by metadata, deleted, and of names that fit nobody.
import { describe, expect, it } from 'vitest'
import { emptySubject, Fold, type FoldedSubject, incompletenessOf, revisionsOf } from '../../src/engine/fold.js'
import type { RecordedEvent } from '../../src/log/event.js'
import { TOMBSTONE_REVISION } from '../../src/log/revision.js'
import { SOFT_DELETE_TB } from '../../src/log/stream-metadata.js'
import { parcels } from '../controls/parcels.js'

const encoder = new TextEncoder()
let place = 0n

function event(stream: string, revision: number, type = 'Paid', data: string = '{}'): RecordedEvent {
  place += 1n
  return {
    stream,
    revision,
    id: `${type}-${stream}-${revision}`,
    type,
    contentType: 'application/json',
    data: encoder.encode(data),
    metadata: encoder.encode(''),
    created: undefined,
    position: { commit: place, prepare: place },
  }
}

const metadata = (stream: string, revision: number, data: string) => event(`$$${stream}`, revision, '$metadata', data)

function foldOf(...events: RecordedEvent[]): Fold {
  const fold = new Fold(parcels)
  for (const each of events) fold.add(each)
  return fold
}

function subjectIn(fold: Fold, subject = '1'): FoldedSubject<{ seen: string[] }> {
  const folded = fold.subjects.get(subject)
  if (!folded) throw new Error(`no subject ${subject}`)
  return folded as FoldedSubject<{ seen: string[] }>
}

const whys = (fold: Fold) => incompletenessOf(subjectIn(fold)).map(({ why }) => why)

describe('a whole history', () => {
  it('is folded by subject over its streams, in log order, with the head of each stream', () => {
    const fold = foldOf(
      event('order-1', 0),
      event('order-2', 0),
      event('parcel-1', 0, 'Packed'),
      event('order-1', 1, 'X'),
    )
    expect(subjectIn(fold).state.seen).toEqual(['order-1@0 Paid', 'parcel-1@0 Packed', 'order-1@1 X'])
    expect(subjectIn(fold).heads).toEqual({
      order: { id: 'X-order-1-1', stream: 'order-1', revision: 1 },
      parcel: { id: 'Packed-parcel-1-0', stream: 'parcel-1', revision: 0 },
    })
    expect(incompletenessOf(subjectIn(fold))).toEqual([])
    expect(fold.counts).toEqual({ events: 4, streams: 3, undecodable: 0, gaps: 0, unattributable: 0 })
  })

  it('numbers subjects by their first event, and shows streams without an event as null', () => {
    const fold = foldOf(event('parcel-b', 0), event('order-a', 0), event('order-b', 0))
    expect([...fold.subjects.values()].map(({ subject, ordinal }) => [subject, ordinal])).toEqual([
      ['b', 0],
      ['a', 1],
    ])
    expect(revisionsOf(subjectIn(fold, 'a'), parcels)).toEqual({ 'order-a': 0, 'parcel-a': null })
    expect(revisionsOf(emptySubject(parcels as never, 'c', 0), parcels)).toEqual({
      'order-c': null,
      'parcel-c': null,
    })
  })

  it('takes the state that evolve returns, and keeps the one it changed in place', () => {
    const replacing = { ...parcels, evolve: (state: { seen: string[] }) => ({ ...state, seen: ['replaced'] }) }
    const fold = new Fold(replacing)
    fold.add(event('order-1', 0))
    expect(subjectIn(fold).state.seen).toEqual(['replaced'])
  })

  it('keeps a subject whose name has dashes, and names of objects, apart', () => {
    const fold = foldOf(event('order-a-b', 0), event('order-__proto__', 0), event('order-constructor', 0))
    expect([...fold.subjects.keys()]).toEqual(['a-b', '__proto__', 'constructor'])
  })
})

describe('a history with holes', () => {
  it('says how many events are missing before which revision, and goes on', () => {
    const fold = foldOf(event('order-1', 0), event('order-1', 2), event('order-1', 6))
    expect(whys(fold)).toEqual(['then 1 event missing before revision 2', 'then 3 events missing before revision 6'])
    expect(fold.counts).toMatchObject({ events: 3, gaps: 2 })
    expect(subjectIn(fold).state.seen).toHaveLength(3)
  })

  it('that begins above 0 has a hole at its beginning, shown by its first event', () => {
    const fold = foldOf(event('order-1', 3))
    expect(whys(fold)).toEqual(['the first 3 events missing before revision 3'])
    expect(subjectIn(fold).holes[0]?.shownBy).toEqual({ id: 'Paid-order-1-3', stream: 'order-1', revision: 3 })
    expect(fold.counts.gaps).toBe(1)
  })

  it('in one stream makes the subject incomplete, not the subject of another stream', () => {
    const fold = foldOf(event('order-1', 1), event('order-2', 0))
    expect(incompletenessOf(subjectIn(fold, '1'))).toHaveLength(1)
    expect(incompletenessOf(subjectIn(fold, '2'))).toHaveLength(0)
  })
})

describe('events that come twice', () => {
  it('count once and change nothing, however far the reading went back', () => {
    const all = [event('order-1', 0), event('order-1', 1, 'X'), event('order-1', 2, 'Y')]
    const fold = foldOf(...all, ...all, ...all.slice(1))
    expect(subjectIn(fold).state.seen).toEqual(['order-1@0 Paid', 'order-1@1 X', 'order-1@2 Y'])
    expect(fold.counts).toEqual({ events: 3, streams: 1, undecodable: 0, gaps: 0, unattributable: 0 })
  })

  it('are told once where they could not be decoded', () => {
    const bad = event('order-1', 0, 'Paid', 'no JSON')
    const fold = foldOf(bad, bad)
    expect(subjectIn(fold).undecodable).toHaveLength(1)
    expect(fold.counts.undecodable).toBe(1)
  })

  it('are told once where they are a tombstone', () => {
    const tombstone = event('order-1', TOMBSTONE_REVISION, '$streamDeleted')
    const fold = foldOf(event('order-1', 0), tombstone, tombstone)
    expect(whys(fold)).toEqual(['the stream was deleted for ever'])
    expect(fold.counts).toMatchObject({ events: 2, streams: 1 })
  })
})

describe('an event that cannot be decoded', () => {
  it('is kept with its place and why, moves the head and leaves the state as it was', () => {
    const fold = foldOf(event('order-1', 0), event('order-1', 1, 'Paid', '{"amountMinor":"x"}'))
    expect(subjectIn(fold).undecodable).toEqual([
      {
        id: 'Paid-order-1-1',
        stream: 'order-1',
        revision: 1,
        type: 'Paid',
        why: expect.stringMatching(/^amountMinor: /),
      },
    ])
    expect(subjectIn(fold).heads.order?.revision).toBe(1)
    expect(subjectIn(fold).state.seen).toEqual(['order-1@0 Paid'])
    expect(fold.counts).toMatchObject({ events: 2, undecodable: 1, gaps: 0 })
  })
})

describe('a stream that was deleted for ever', () => {
  it('is incomplete, keeps the head that it had and shows no gap', () => {
    const fold = foldOf(event('order-1', 0), event('order-1', TOMBSTONE_REVISION, '$streamDeleted'))
    expect(whys(fold)).toEqual(['the stream was deleted for ever'])
    expect(subjectIn(fold).heads.order?.revision).toBe(0)
    expect(fold.counts.gaps).toBe(0)
  })

  it('and never had an event is incomplete too', () => {
    const fold = foldOf(event('order-1', TOMBSTONE_REVISION, '$streamDeleted'))
    expect(whys(fold)).toEqual(['the stream was deleted for ever'])
    expect(subjectIn(fold).heads).toEqual({})
  })
})

describe('metadata that limits a stream', () => {
  it.each([
    ['{"$maxCount":5}', '$maxCount keeps the last 5 events only'],
    ['{"$maxAge":60}', '$maxAge keeps the last 60 seconds only'],
    ['{"$tb":2}', '$tb cuts events before revision 2'],
    [`{"$tb":${SOFT_DELETE_TB}}`, 'the stream was deleted'],
    [`{"$tb":${SOFT_DELETE_TB},"$maxCount":5}`, 'the stream was deleted'],
  ])('%s makes its subject incomplete: %s', (data, why) => {
    expect(whys(foldOf(event('order-1', 0), metadata('order-1', 0, data)))).toEqual([why])
  })

  it('counts before the first event as well, and for a stream that never had one', () => {
    expect(whys(foldOf(metadata('order-1', 0, '{"$maxCount":5}'), event('order-1', 0)))).toHaveLength(1)
    expect(whys(foldOf(event('order-1', 0), metadata('parcel-1', 0, '{"$maxCount":5}')))).toHaveLength(1)
  })

  it('no longer counts once it is cleared; the last metadata of a stream holds', () => {
    const set = metadata('order-1', 0, '{"$maxCount":5}')
    expect(whys(foldOf(event('order-1', 0), set, metadata('order-1', 1, '{}')))).toEqual([])
    expect(whys(foldOf(event('order-1', 0), set, metadata('order-1', 1, '{"$maxAge":9}')))).toEqual([
      '$maxAge keeps the last 9 seconds only',
    ])
    expect(whys(foldOf(event('order-1', 0), set, metadata('parcel-1', 0, '{}')))).toHaveLength(1)
  })

  it('of a stream that was undeleted still cuts its beginning', () => {
    const fold = foldOf(
      event('order-1', 0),
      metadata('order-1', 0, `{"$tb":${SOFT_DELETE_TB}}`),
      event('order-1', 1),
      metadata('order-1', 1, '{"$tb":1}'),
    )
    expect(whys(fold)).toEqual(['$tb cuts events before revision 1'])
  })

  it.each(['{}', '{"$tb":0}', '{"$acl":{"$r":"ops"}}', 'not JSON', '{"$maxCount":"5"}'])(
    'of %s limits nothing and makes nobody a subject',
    (data) => {
      const fold = foldOf(metadata('order-1', 0, data))
      expect([...fold.subjects.keys()]).toEqual([])
      expect(fold.counts.events).toBe(0)
    },
  )
})

describe('streams of nobody', () => {
  it('in a category of the projection are counted: they could belong to any subject', () => {
    const fold = foldOf(event('order-', 0), event('parcel-', 0), metadata('order-', 0, '{"$maxCount":1}'))
    expect(fold.counts).toEqual({ events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 2 })
    expect(fold.subjects.size).toBe(0)
  })

  it('outside of its categories are passed over', () => {
    const fold = foldOf(event('orders-1', 0), event('order', 0), event('$order-1', 0), event('makegood.case-1', 0))
    expect(fold.counts).toEqual({ events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 0 })
  })
})
