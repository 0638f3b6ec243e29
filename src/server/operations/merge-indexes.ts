// Operations.MergeIndexes: the store's index is one tree and always merged, so there is nothing left to do.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { mustBeOperator } from '../persistent/group-access.js'
import { unary } from '../server-context.js'

export const mergeIndexes = unary(
  '/event_store.client.operations.Operations/MergeIndexes',
  (_message, server, { principal }) => {
    mustBeOperator(principal, server)
    return new shared.Empty()
  },
)
