// `watch --group`: the group that a process is to be one of, on a store that has groups, and what it says of itself.
import { type ConsumerGroups, groupsOf } from '../log/consumer-group.js'
import type { EventStore } from '../log/event-store.js'
import { watchNameOf } from '../watch/group.js'
import { addGroupMetrics } from '../watch/group-metrics.js'
import type { GroupWorker } from '../watch/group-worker.js'
import type { WatchMetrics } from '../watch/metrics.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { escapeText } from './text.js'
import { groupNameIn, type WatchCommandOptions } from './watch-options.js'

/** A group that the command line names, and this process's part in it. */
export class NamedGroup {
  /** The name that its alerts bear. */
  readonly name: string
  worker: GroupWorker | undefined

  private constructor(
    readonly groups: ConsumerGroups,
    readonly group: string,
    metrics: WatchMetrics,
  ) {
    this.name = watchNameOf(group)
    addGroupMetrics(metrics.registry, { groups, group, worker: () => this.worker })
  }

  /** Undefined where none is named. Throws UsageError where the store has no groups. */
  static of(
    options: WatchCommandOptions,
    { store, where, metrics }: { store: EventStore; where: string; metrics: WatchMetrics },
  ): NamedGroup | undefined {
    const group = groupNameIn(options)
    if (group === undefined) return undefined
    const groups = groupsOf(store)
    if (groups) return new NamedGroup(groups, group, metrics)
    throw new UsageError(
      `--group needs a server, and ${where} is none. Serve it: makegood serve --store ${where} --insecure (or with --cert and --key), and give ` +
        'each process the address that it prints as --store',
    )
  }

  /** Why nothing should rely on this process now, whoever keeps the alerts; undefined while it does its share. */
  get unready(): string | undefined {
    return this.worker?.joined ? undefined : 'not one of the consumers of the group'
  }

  /** What the watch is given for it. */
  options({ clock, logger, stderr }: Context) {
    return {
      groups: this.groups,
      group: this.group,
      wallClock: clock,
      onWorker: (worker: GroupWorker) => {
        this.worker = worker
      },
      onJoined: () => logger.info({ group: this.group }, 'joined'),
      onStandby: (holder: string) =>
        stderr.write(
          `${escapeText(holder)} keeps the alerts of group ${this.group}: working as one of its consumers\n`,
        ),
    }
  }
}
