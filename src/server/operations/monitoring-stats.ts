// Monitoring.Stats: the server's statistics, again and again until the client leaves.
import { setTimeout as pause } from 'node:timers/promises'
import monitoring from '@eventstore/db-client/generated/monitoring_pb.js'
import { mustBeUser } from '../persistent/group-access.js'
import type { Rpc } from '../server-context.js'
import { frame } from '../transport/framing.js'
import { decodeMessage } from '../transport/message-reader.js'
import { flattened, nodeStatistics } from './node-statistics.js'

/** More often nobody needs them. */
const PERIOD_MS_MIN = 100
const PERIOD_MS_MAX = 2 ** 31 - 1

export const monitoringStats: Rpc = {
  path: '/event_store.client.monitoring.Monitoring/Stats',
  handle: async (call, server, principal) => {
    mustBeUser(principal, server)
    const asked = Number(decodeMessage(monitoring.StatsReq, await call.message()).getRefreshTimePeriodInMs())
    const periodMs = Math.min(PERIOD_MS_MAX, Math.max(PERIOD_MS_MIN, asked))
    call.endless = true
    for (;;) {
      const response = new monitoring.StatsResp()
      const stats = response.getStatsMap()
      for (const [name, value] of flattened(await nodeStatistics(server))) stats.set(name, value)
      await call.send(frame(response.serializeBinary()))
      // Rejects as soon as the client leaves or the server stops.
      await pause(periodMs, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted())
    }
  },
}
