// Appends and deletes with their outcomes: what is known to have happened, what is known not to have, and the rest.
import type streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ProposedEvent } from '../../log/event.js'
import type { AppendResult, DeleteResult } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { ExpectedRevision } from '../../log/revision.js'
import type { Cluster } from './cluster.js'
import { isNotLeader, writeFailure } from './errors.js'
import type { Node } from './node.js'
import { Patience } from './patience.js'
import { CallError, connectionLost } from './wire/call-error.js'
import { NotSentError, type WriteClient } from './write-client.js'

export class Writing {
  readonly #cluster: Cluster
  readonly #options: { readonly outageMsMax: number; readonly signal: AbortSignal }

  /** `signal`: aborted when the store is closed, after which nothing is sent any more. */
  constructor(cluster: Cluster, options: { readonly outageMsMax: number; readonly signal: AbortSignal }) {
    this.#cluster = cluster
    this.#options = options
  }

  async append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    const response = await this.#send((writer) => writer.append(stream, events, expected))
    return response instanceof CallError ? writeFailure(response) : resultOf(response)
  }

  async softDelete(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    return deleted(await this.#send((writer) => writer.softDelete(stream, expected)))
  }

  async tombstone(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    return deleted(await this.#send((writer) => writer.tombstone(stream, expected)))
  }

  /**
   * Sends a write once. It is sent to another node only where the first is known not to have got it, or not to have taken it since it does not
   * lead. Gives the call's failure as a value; throws where nothing could be sent.
   */
  async #send<Response>(write: (writer: WriteClient) => Promise<Response>): Promise<Response | CallError> {
    const patience = new Patience(this.#options)
    for (;;) {
      let node: Node | undefined
      let isSent = false
      try {
        node = await this.#cluster.node('deciding')
        // Tells at once of a node that is not there, for which the client's channel would wait.
        await node.reach()
        isSent = true
        return await write(node.writer)
      } catch (error) {
        const failure = failureOf(error)
        if (node) this.#cluster.failed(node, failure)
        const isTaken = isSent && !(error instanceof NotSentError) && !isNotLeader(failure)
        if (isTaken) return failure
        await patience.bear(failure)
      }
    }
  }
}

function failureOf(error: unknown): CallError {
  if (error instanceof NotSentError) return connectionLost(error.message, error)
  if (error instanceof CallError) return error
  throw error
}

function resultOf(response: streams.AppendResp): AppendResult {
  const conflict = response.getWrongExpectedVersion()
  if (conflict) {
    return {
      kind: 'conflict',
      actual: conflict.hasCurrentRevision() ? Number(conflict.getCurrentRevision()) : 'noStream',
    }
  }
  const success = response.getSuccess()
  if (!success) return { kind: 'unknown', message: 'The answer to the append holds no result' }
  const position = success.getPosition()
  return {
    kind: 'appended',
    ...(success.hasCurrentRevision() && { revision: Number(success.getCurrentRevision()) }),
    ...(position && { position: positionOf(position) }),
  }
}

function deleted(response: streams.DeleteResp | streams.TombstoneResp | CallError): DeleteResult {
  if (response instanceof CallError) return writeFailure(response)
  const position = response.getPosition()
  // Without one there was nothing to write: which a real server never answers.
  if (!position) return { kind: 'unknown', message: 'The answer to the delete holds no position' }
  return { kind: 'deleted', position: positionOf(position) }
}

function positionOf(position: { getCommitPosition(): string; getPreparePosition(): string }): Position {
  return { commit: BigInt(position.getCommitPosition()), prepare: BigInt(position.getPreparePosition()) }
}
