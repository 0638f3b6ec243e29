// What is told of the process, the machine and the server: only what is known here, under the names that a real server uses.
import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { ServerContext } from '../server-context.js'
import { endOfLog } from '../streams/end-of-log.js'

export interface NodeStatistics {
  readonly proc: object
  readonly sys: object
  readonly es: object
}

/** Times are ISO 8601, sizes bytes, `cpu` per cent of one core since the process began. */
export async function nodeStatistics({ store, groups, projections }: ServerContext): Promise<NodeStatistics> {
  const end = await endOfLog(store)
  return {
    proc: processStatistics(),
    sys: {
      cpuCount: os.availableParallelism(),
      loadavg: Object.fromEntries(os.loadavg().map((load, n) => [['1m', '5m', '15m'][n], load])),
      freeMem: os.freemem(),
      totalMem: os.totalmem(),
      uptimeSeconds: os.uptime(),
    },
    es: {
      writer: { lastCommitPosition: Number(end?.commit ?? -1n) },
      subscriptions: { groups: groups.all.length },
      projections: { running: await runningOf(projections) },
    },
  }
}

/** Each leaf under the names of its branches, as Monitoring.Stats tells it: `proc-diskIo-readBytes`. */
export function flattened(branch: object, prefix = ''): [string, string][] {
  return Object.entries(branch).flatMap(([name, value]: [string, unknown]) => {
    const key = prefix === '' ? name : `${prefix}-${name}`
    return typeof value === 'object' && value !== null ? flattened(value, key) : [[key, String(value)]]
  })
}

async function runningOf(projections: ServerContext['projections']): Promise<number> {
  const all = await Promise.all((projections?.all ?? []).map((projection) => projection.statistics()))
  return all.filter(({ status }) => status === 'Running').length
}

function processStatistics() {
  const { user, system } = process.cpuUsage()
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  const usage = process.resourceUsage()
  return {
    startTime: new Date(Date.now() - process.uptime() * 1_000).toISOString(),
    id: process.pid,
    mem: rss,
    cpu: ((user + system) / 1e6 / process.uptime()) * 100,
    heap: { totalBytes: heapTotal, usedBytes: heapUsed, externalBytes: external },
    diskIo: { ...diskIo(), readOps: usage.fsRead, writeOps: usage.fsWrite },
    contextSwitches: { voluntary: usage.voluntaryContextSwitches, involuntary: usage.involuntaryContextSwitches },
  }
}

/** Where the system tells it. */
function diskIo(): { readBytes?: number; writtenBytes?: number } {
  try {
    const text = readFileSync('/proc/self/io', 'utf8')
    const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1])
    return { readBytes: of('read_bytes'), writtenBytes: of('write_bytes') }
  } catch {
    return {}
  }
}
