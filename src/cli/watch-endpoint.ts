// Metrics and health of a watch, where they are asked for.
import type { WatchMetrics } from '../watch/metrics.js'
import type { Session } from '../watch/session.js'
import { isCurrent } from '../watch/watch-state.js'
import type { Context, MetricsEndpoint } from './context.js'
import type { NamedGroup } from './watch-group.js'
import type { WatchCommandOptions } from './watch-options.js'

/** A watch that has done nothing for so long hangs: it does something every second. */
const HANGING_MS = 120_000

interface Watched {
  readonly metrics: WatchMetrics
  readonly context: Context
  readonly session: () => Session | undefined
  readonly group: NamedGroup | undefined
}

/** Opens the endpoint; undefined where no port is named. Throws PortTakenError. */
export async function openEndpoint(
  { metricsPort, metricsHost }: WatchCommandOptions,
  { metrics, context, session, group }: Watched,
): Promise<MetricsEndpoint | undefined> {
  if (metricsPort === undefined) return undefined
  const endpoint = await context.openMetricsEndpoint({
    port: metricsPort,
    host: metricsHost,
    metrics: () => metrics.registry.metrics(),
    unhealthy: () => ((session()?.heartbeatAgeMs ?? 0) > HANGING_MS ? 'the watch hangs' : undefined),
    unready: () => group?.unready ?? unready(session(), group),
  })
  context.stderr.write(`metrics on http://${metricsHost}:${endpoint.port}/metrics\n`)
  return endpoint
}

function unready(session: Session | undefined, group: NamedGroup | undefined): string | undefined {
  // In a group whoever stands by with the alerts does its share all the same.
  if (!session) return group ? undefined : 'standing by, or waiting for the store'
  return isCurrent(session.state) ? undefined : session.state
}
