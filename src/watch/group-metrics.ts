// Metrics of one consumer of a group, beside those of the watch: what it has done, and how the group stands by its server's word.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ConsumerGroups, GroupInfo } from '../log/consumer-group.js'
import { groupNameOf } from './group.js'
import type { GroupWorker } from './group-worker.js'

/** A server that does not answer must not keep the other metrics from being told. */
const ANSWER_MS_MAX = 2_000

export interface GroupMetricsSource {
  readonly groups: ConsumerGroups
  readonly group: string
  /** Undefined until it begins. */
  worker(): GroupWorker | undefined
}

/** Adds them to the others. */
export function addGroupMetrics(registry: Registry, source: GroupMetricsSource): void {
  const registers = [registry]
  const { worker } = source
  const counts = [
    ['deliveries', 'Events that this consumer was given.'],
    ['redeliveries', 'Of these, events that had been given before, and not been answered.'],
    ['parked', 'Events that this consumer could not deal with and put aside.'],
  ] as const
  for (const [count, help] of counts) {
    const counter: Counter = new Counter({
      name: `makegood_group_${count}_total`,
      help,
      registers,
      collect: () => {
        counter.reset()
        counter.inc(worker()?.counts[count] ?? 0)
      },
    })
  }
  const joined: Gauge = new Gauge({
    name: 'makegood_group_joined',
    help: '1 while this process is one of the consumers of the group.',
    registers,
    collect: () => joined.set(worker()?.joined ? 1 : 0),
  })
  addServerMetrics(registers, source)
}

/** No sample while the server does not tell. They are asked for together, once a scrape. */
function addServerMetrics(registers: Registry[], { groups, group }: GroupMetricsSource): void {
  let asked: Promise<GroupInfo | undefined> | undefined
  const ask = () => {
    asked ??= infoInTime(groups, group).finally(() => {
      asked = undefined
    })
    return asked
  }
  const gauges = [
    ['consumers', 'Consumers of the group, of all processes.'],
    ['inFlight', 'Events that are with consumers and not answered.'],
    ['parked', 'Events put aside, which come again only when they are replayed.'],
  ] as const
  for (const [field, help] of gauges) {
    const gauge: Gauge = new Gauge({
      name: NAMES[field],
      help,
      registers,
      collect: async () => {
        const info = await ask()
        if (info) gauge.set(info[field])
        else gauge.remove()
      },
    })
  }
}

const NAMES = {
  consumers: 'makegood_group_consumers',
  inFlight: 'makegood_group_in_flight_events',
  parked: 'makegood_group_parked_events',
} as const

async function infoInTime(groups: ConsumerGroups, group: string): Promise<GroupInfo | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ANSWER_MS_MAX, undefined)
  })
  try {
    return await Promise.race([groups.info(groupNameOf(group)).catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
