// Writing, through the official client: its channel, its credentials, its messages. Its own append is not used, since that makes JSON anew
// (other bytes than the event's), joins all appends into one call that one failure rejects for everybody, and can stay silent for ever; its
// deletes know no `stream_exists`. Its reconnecting is switched off: which node is asked is decided in cluster.ts.

import { EventStoreDBClient } from '@eventstore/db-client'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { CallOptions, ClientUnaryCall, ClientWritableStream, Metadata, ServiceError } from '@grpc/grpc-js'
import type { ProposedEvent } from '../../log/event.js'
import type { ExpectedRevision } from '../../log/revision.js'
import type { ConnectionSettings } from './connection-string.js'
import type { Endpoint } from './endpoint.js'
import { CallError, CODE } from './wire/call-error.js'
import type { TlsFiles } from './wire/session.js'

/** gRPC gives up by itself first; this is for a call that does not even do that. */
const OUTER_DEADLINE_EXTRA_MS = 1_000

/** No connection could be made, so nothing was sent. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError'
}

type Callback<Response> = (error: ServiceError | null, response: Response) => void
type StreamsClient = InstanceType<typeof streamsGrpc.StreamsClient>
type AppendCall = ClientWritableStream<streams.AppendReq>

/** All methods throw NotSentError where no connection was to be had, and CallError where the call failed. */
export class WriteClient extends EventStoreDBClient {
  readonly #deadlineMs: number
  readonly #connectTimeoutMs: number

  constructor(
    endpoint: Endpoint,
    settings: Pick<
      ConnectionSettings,
      'credentials' | 'deadlineMs' | 'keepAliveIntervalMs' | 'keepAliveTimeoutMs' | 'connectionName'
    > & { readonly connectTimeoutMs: number; readonly tls: TlsFiles | undefined },
  ) {
    super(
      {
        endpoint: { address: endpoint.host, port: endpoint.port },
        defaultDeadline: settings.deadlineMs,
        keepAliveInterval: settings.keepAliveIntervalMs,
        keepAliveTimeout: settings.keepAliveTimeoutMs,
        ...(settings.connectionName !== undefined && { connectionName: settings.connectionName }),
      },
      channelCredentials(settings.tls),
      settings.credentials,
    )
    this.#deadlineMs = settings.deadlineMs
    this.#connectTimeoutMs = settings.connectTimeoutMs
    // It would close the channel that other calls use, and fall over an error whose trailers are not those that it expects.
    this.handleError = async () => undefined
  }

  append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): Promise<streams.AppendResp> {
    const options = guarded(new streams.AppendReq.Options(), stream, expected)
    return this.#write((client, args, done: Callback<streams.AppendResp>) => {
      const call: AppendCall = client.append(...args, done)
      call.on('error', done)
      call.write(new streams.AppendReq().setOptions(options))
      for (const event of events) call.write(new streams.AppendReq().setProposedMessage(proposedMessage(event)))
      call.end()
      return call
    })
  }

  softDelete(stream: string, expected: ExpectedRevision): Promise<streams.DeleteResp> {
    const request = new streams.DeleteReq().setOptions(guarded(new streams.DeleteReq.Options(), stream, expected))
    return this.#write((client, args, done: Callback<streams.DeleteResp>) => client.delete(request, ...args, done))
  }

  tombstone(stream: string, expected: ExpectedRevision): Promise<streams.TombstoneResp> {
    const options = guarded(new streams.TombstoneReq.Options(), stream, expected)
    const request = new streams.TombstoneReq().setOptions(options)
    return this.#write((client, args, done: Callback<streams.TombstoneResp>) =>
      client.tombstone(request, ...args, done),
    )
  }

  /** Closes the connection, which `dispose` leaves open. */
  close(): void {
    this.getChannel().then(
      (channel) => channel.close(),
      () => undefined,
    )
  }

  /** One call, which ends at the deadline whatever the server or gRPC do. */
  #write<Response>(
    begin: (
      client: StreamsClient,
      args: [Metadata, CallOptions],
      done: Callback<Response>,
    ) => AppendCall | ClientUnaryCall,
  ): Promise<Response> {
    return this.execute(streamsGrpc.StreamsClient, 'write', async (client) => {
      await untilConnected(client, this.#connectTimeoutMs)
      return new Promise<Response>((resolve, reject) => {
        const ms = this.#deadlineMs + OUTER_DEADLINE_EXTRA_MS
        const late = () => {
          reject(new CallError(CODE.deadlineExceeded, `No answer in ${ms} ms`))
          call.cancel()
        }
        const timer = setTimeout(late, ms)
        const call = begin(client, this.callArguments({ requiresLeader: true }), (error, response) => {
          clearTimeout(timer)
          if (error) reject(callErrorOf(error))
          else resolve(response)
        })
      })
    })
  }
}

/** Nothing is sent before there is a connection: so it is known of a node that cannot be reached that it got nothing. */
function untilConnected(client: StreamsClient, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + timeoutMs, (cause) => {
      if (cause) reject(new NotSentError(`no connection in ${timeoutMs} ms`, { cause }))
      else resolve()
    })
  })
}

function channelCredentials(tls: TlsFiles | undefined) {
  if (!tls) return { insecure: true }
  const { ca, cert, key } = tls
  return {
    insecure: false,
    ...(ca && { rootCertificate: ca }),
    ...(cert && { userCertFile: cert }),
    ...(key && { userKeyFile: key }),
  }
}

function callErrorOf(error: ServiceError): CallError {
  const map = error.metadata?.getMap() ?? {}
  const trailers = Object.entries(map).map(([name, value]) => [name, value.toString()])
  return new CallError(error.code, error.details ?? error.message, Object.fromEntries(trailers), { cause: error })
}

/** The options of the three calls have the same fields. */
interface GuardOptions {
  setStreamIdentifier(identifier: shared.StreamIdentifier): unknown
  setRevision(revision: string): unknown
  setAny(value: shared.Empty): unknown
  setNoStream(value: shared.Empty): unknown
  setStreamExists(value: shared.Empty): unknown
}

function guarded<Options extends GuardOptions>(options: Options, stream: string, expected: ExpectedRevision): Options {
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)))
  if (expected === 'any') options.setAny(new shared.Empty())
  else if (expected === 'noStream') options.setNoStream(new shared.Empty())
  else if (expected === 'streamExists') options.setStreamExists(new shared.Empty())
  else options.setRevision(BigInt(expected).toString())
  return options
}

function proposedMessage({ id, type, contentType, data, metadata }: ProposedEvent): streams.AppendReq.ProposedMessage {
  const message = new streams.AppendReq.ProposedMessage()
  message.getMetadataMap().set('type', type).set('content-type', contentType)
  return message.setId(new shared.UUID().setString(id)).setData(data).setCustomMetadata(metadata)
}
