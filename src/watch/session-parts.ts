// What a session knows when it begins: the memory that it goes on with, the alerts that are open, outages and the domain's flow.
import { rulesOf } from '../engine/detect.js'
import { type AlertRecord, OWN_RULES } from './alert.js'
import { AlertLog } from './alert-log.js'
import { Flow } from './flow.js'
import { Outages } from './outages.js'
import { type Resumed, type ResumeOptions, resume } from './resume.js'
import type { SessionOptions } from './session-options.js'

export interface SessionParts {
  readonly memory: Resumed
  readonly alerts: AlertLog
  readonly outages: Outages
  readonly flow: Flow
}

/** Opens the parts; `since`: alerts that may have been told to nobody. Throws CheckpointRefusedError and what the store throws. */
export async function openParts(
  options: SessionOptions,
  listeners: Required<Pick<ResumeOptions, 'onFolded' | 'onFlow'>>,
): Promise<SessionParts & { since: readonly AlertRecord[] }> {
  const { store, name, projection, newId, outage, source, tracing } = options
  const memory = await resume({ ...options, ...listeners })
  const { checkpoint } = memory
  const rules = [...rulesOf(projection).map(({ id }) => id), ...Object.values(OWN_RULES), ...(source?.rules ?? [])]
  const known = checkpoint && {
    alerts: [...checkpoint.head.ownAlerts, ...[...checkpoint.entries.values()].flatMap((entry) => entry.alerts)],
    heads: checkpoint.head.alertHeads,
  }
  // Begun anew, it has told all the same what the checkpoint that is left behind knew to be told.
  const told = memory.freshStart === 'asked' ? memory.checkpoints.checkpoint?.head.alertHeads : undefined
  const before = { ...(known && { known }), ...(told && { told }) }
  const { log: alerts, since } = await AlertLog.open({ store, watch: name, rules, newId, tracing, ...before })
  const outages = new Outages(outage, newId)
  for (const { id, detail } of alerts.alertsOf(null)) outages.restore(id, detail)
  return { memory, alerts, outages, flow: new Flow(projection.live?.flow, outage, checkpoint?.head.flow), since }
}
