// Projections.State and Projections.Result: system projections write streams and keep neither, which is told as an empty object.
import projections from '@eventstore/db-client/generated/projections_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { named, projectionsFor } from './asked-projections.js'

export const projectionState = unary(
  '/event_store.client.projections.Projections/State',
  (message, server, { principal }) => {
    named(projectionsFor(principal, server), decodeMessage(projections.StateReq, message).getOptions())
    return new projections.StateResp().setState(struct.Value.fromJavaScript({}))
  },
)

export const projectionResult = unary(
  '/event_store.client.projections.Projections/Result',
  (message, server, { principal }) => {
    named(projectionsFor(principal, server), decodeMessage(projections.ResultReq, message).getOptions())
    return new projections.ResultResp().setResult(struct.Value.fromJavaScript({}))
  },
)
