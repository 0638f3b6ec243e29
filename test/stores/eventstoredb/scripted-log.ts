// A short log, and what a server that reads it would answer: scripts answer so, or begin to and then misbehave.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { RecordedEvent } from '../../../src/log/event.js'
import { type Handler, type StubCall, scriptedEvent } from './stub-server.js'

/** The log of a scripted server: ten events of `s-1`. */
export const EVENTS = Array.from({ length: 10 }, (_, i) => scriptedEvent(i))

/** What a Read asks for. */
export interface Asked {
  readonly backwards: boolean
  readonly count: number
  /** Of a reading of one stream. */
  readonly revision: number | undefined
  /** Of a reading of the log. */
  readonly commit: bigint | undefined
  readonly ofStream: boolean
}

export async function askedBy(call: StubCall): Promise<Asked> {
  const options = await call.readOptions()
  const stream = options.getStream()
  const position = options.getAll()?.getPosition()
  return {
    backwards: options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS,
    count: Number(options.getCount()),
    revision: stream?.hasRevision() ? Number(stream.getRevision()) : undefined,
    commit: position ? BigInt(position.getCommitPosition()) : undefined,
    ofStream: stream !== undefined,
  }
}

/** What a server that behaves would give. */
export function answerTo({ backwards, count, revision, commit, ofStream }: Asked): RecordedEvent[] {
  const wanted = EVENTS.filter((event) => {
    if (ofStream) return revision === undefined || (backwards ? event.revision <= revision : event.revision >= revision)
    return commit === undefined || (backwards ? event.position.commit < commit : event.position.commit >= commit)
  })
  return (backwards ? wanted.reverse() : wanted).slice(0, count)
}

/** Gives at most so many events a call, then does something. */
export function givingUp(most: number, then: (call: StubCall) => void): Handler {
  return async (call) => {
    const events = answerTo(await askedBy(call))
    if (events.length > 0) call.sendEvents(events.slice(0, most))
    if (events.length > most) then(call)
    else call.end()
  }
}

export const revisions = (events: readonly RecordedEvent[]) => events.map(({ revision }) => revision)
export const FORWARDS = EVENTS.map(({ revision }) => revision)
export const BACKWARDS = [...FORWARDS].reverse()
