// Messages are read from whatever bytes come, in time that grows with their length: believed lengths would keep a reader busy for minutes,
// and then the time of these tests is over.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage } from '../../src/server/transport/message-reader.js'
import { seedFor } from '../controls/seed.js'
import { proposal, proposed } from './requests.js'

describe('bytes that are no message', () => {
  it('are refused in time that grows with their length', () => {
    const types = [streams.ReadReq, streams.AppendReq, streams.BatchAppendReq, streams.DeleteReq] as const
    const bytes = fc.uint8Array({ maxLength: 60 })
    const parameters = { seed: seedFor('garbage as messages'), numRuns: 20_000 }
    fc.assert(
      fc.property(fc.constantFrom(...types), bytes, (type, garbage) => {
        try {
          decodeMessage<unknown>(type, garbage)
        } catch (error) {
          expect(error).toMatchObject({ code: 2 })
        }
      }),
      parameters,
    )
  })

  it('are told from good ones, whatever the lengths that were changed', () => {
    const event = proposal()
    const good = proposed(event).serializeBinary()
    const parameters = { seed: seedFor('changed messages'), numRuns: 5_000 }
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (place, byte) => {
        const changed = Buffer.from(good)
        changed[place] = byte
        try {
          decodeMessage(streams.AppendReq, changed)
        } catch (error) {
          expect(error).toMatchObject({ code: 2 })
        }
      }),
      parameters,
    )
    expect(decodeMessage(streams.AppendReq, good).getProposedMessage()?.toObject()).toEqual(event.toObject())
  })
})
