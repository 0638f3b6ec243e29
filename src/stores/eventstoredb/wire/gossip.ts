// Gossip.Read: who the members of a cluster are, and which of them leads.
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type { Endpoint } from '../endpoint.js'
import { CallError, CODE } from './call-error.js'
import { FrameSplitter } from './frame-splitter.js'
import type { ServerCall } from './server-call.js'

export const GOSSIP_PATH = '/event_store.client.gossip.Gossip/Read'

/** What a member is, as far as anybody chooses by it. */
export type Role = 'leader' | 'follower' | 'readOnlyReplica'

/** A member that is alive and serves. */
export interface Member {
  readonly endpoint: Endpoint
  readonly role: Role
}

const { VNodeState } = gossip.MemberInfo

const ROLES: ReadonlyMap<number, Role> = new Map([
  [VNodeState.LEADER, 'leader'],
  [VNodeState.FOLLOWER, 'follower'],
  [VNodeState.READONLYREPLICA, 'readOnlyReplica'],
  [VNodeState.PREREADONLYREPLICA, 'readOnlyReplica'],
  [VNodeState.READONLYLEADERLESS, 'readOnlyReplica'],
])

export function gossipRequest(): Uint8Array {
  return new shared.Empty().serializeBinary()
}

/** The members that serve, from the call's answer. Throws CallError. */
export async function membersIn(call: ServerCall): Promise<Member[]> {
  const splitter = new FrameSplitter()
  let info: gossip.ClusterInfo | undefined
  for (let chunk = await call.read(); chunk; chunk = await call.read()) {
    splitter.push(chunk, (bytes, start, end) => {
      info = gossip.ClusterInfo.deserializeBinary(bytes.subarray(start, end))
    })
  }
  if (!info) throw new CallError(CODE.internal, 'The gossip holds no message')
  return info.getMembersList().flatMap(memberOf)
}

function memberOf(info: gossip.MemberInfo): Member[] {
  const role = ROLES.get(info.getState())
  const place = info.getHttpEndPoint()
  if (!info.getIsAlive() || role === undefined || !place) return []
  return [{ role, endpoint: { host: place.getAddress(), port: place.getPort() } }]
}
