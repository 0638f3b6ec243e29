// Gossip.Read: how clients with a list of hosts find the leader. There is one member, and it leads.
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import { ticksOfMs } from '../../log/ticks.js'
import { unary } from '../server-context.js'
import { uuidMessage } from '../streams/uuids.js'
import { endpointOf } from './cluster-member.js'

export const gossipRead = unary('/event_store.client.gossip.Gossip/Read', (_message, { instanceId }, { call }) => {
  const { host, port } = endpointOf(call.authority)
  const member = new gossip.MemberInfo()
    .setInstanceId(uuidMessage(instanceId, 'structured'))
    .setTimeStamp(String(ticksOfMs(Date.now())))
    .setState(gossip.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port))
  return new gossip.ClusterInfo().setMembersList([member])
})
