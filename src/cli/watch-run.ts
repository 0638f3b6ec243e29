// A run of `watch`: replays the log to its end, follows it, and prints what is opened and resolved, one line a change.
import { once } from 'node:events'
import type { LookUp } from '../engine/judge-part.js'
import type { EventStore } from '../log/event-store.js'
import type { AlertRecord } from '../watch/alert.js'
import { Consumer, ConsumerCheckpointError } from '../watch/consumer.js'
import { watchInGroup } from '../watch/group.js'
import { LiveLookups } from '../watch/live-lookups.js'
import { WatchMetrics } from '../watch/metrics.js'
import { CheckpointRefusedError } from '../watch/resume.js'
import type { Session } from '../watch/session.js'
import { watch } from '../watch/watch.js'
import type { WatchState } from '../watch/watch-state.js'
import { Webhook } from '../watch/webhook.js'
import type { Context } from './context.js'
import { EXIT, type ExitCode, UsageError } from './exit-codes.js'
import { lookUpOf } from './lookup-option.js'
import { memoryOf } from './memory-option.js'
import { formatOf, type Row } from './output.js'
import { nowOf, storeOf } from './reading.js'
import { escapeText, jsonLine } from './text.js'
import { openEndpoint } from './watch-endpoint.js'
import { NamedGroup } from './watch-group.js'
import { isFromStart, nameOf, type WatchCommandOptions, webhookUrl } from './watch-options.js'
import { aheadWarning, jsonOf, lineOf, repairLineOf } from './watch-output.js'
import { openWatchRepair, type WatchRepair } from './watch-repair.js'

/** The environment's name of what webhook bodies are signed with. */
const SECRET = 'MAKEGOOD_WEBHOOK_SECRET'
/** How long the end of a watch waits for its webhook. */
const LAST_DELIVERIES_MS = 5_000
/** A clock that was set back by more than this is worth a word. */
const AHEAD_MS = 60_000

/** Watches until it is asked to end; the exit code. Throws UsageError and what the store throws. */
export async function runWatch(options: WatchCommandOptions, context: Context): Promise<ExitCode> {
  const format = formatOf(options.format, context.stdout.isTerminal)
  if (format !== 'table' && format !== 'ndjson')
    throw new UsageError(`--format ${format}: watch prints table or ndjson`)
  const print = (record: AlertRecord) =>
    context.stdout.write(`${format === 'table' ? lineOf(record) : jsonOf(record)}\n`)
  const printRow = (row: Row) => context.stdout.write(`${format === 'table' ? repairLineOf(row) : jsonLine(row)}\n`)
  const url = webhookUrl(options)
  const where = storeOf(options, context)
  // A folder that is no store is refused, as by every reading command: opened for writing, it would be made.
  await (await context.openStore(where, 'read')).close()
  const store = await context.openStore(where, 'write')
  try {
    return await watchStore(store, options, { context, print, printRow, url })
  } catch (error) {
    if (error instanceof CheckpointRefusedError) throw new UsageError(error.message, { cause: error })
    throw error
  } finally {
    await store.close()
  }
}

interface Surroundings {
  readonly context: Context
  readonly print: (record: AlertRecord) => void
  /** What is no alert. */
  readonly printRow: (row: Row) => void
  readonly url: URL | undefined
}

async function watchStore(
  store: EventStore,
  options: WatchCommandOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { context, url } = surroundings
  const projection = await context.loadProjection(options.projection)
  const running = new Running(context.interruption.signal)
  const clock = await clockOf(store, options, context)
  const lookUp = lookUpOf(options, projection, context)
  const consumer = await openConsumer(store, options)
  const lookups = lookUp && openLookups(lookUp, options, context)
  const sources = {
    session: () => running.session,
    webhook: () => webhook,
    lookups: () => lookups,
    consumer: () => consumer,
  }
  const metrics: WatchMetrics = new WatchMetrics(sources)
  const group = NamedGroup.of(options, { store, where: storeOf(options, context), metrics })
  const name = group?.name ?? nameOf(options, projection.name)
  const webhook = url && (await openWebhook(store, { name, url, context }))
  const repairing = await openWatchRepair(options, {
    store,
    projection,
    name,
    clock,
    session: () => running.session,
    context,
    ...(lookUp && { lookUp }),
    onRow: surroundings.printRow,
    onReport: ({ outcomes }) => metrics.countRepairs(outcomes),
  })
  const endpoint = await openEndpoint(options, { metrics, context, session: () => running.session, group }).catch(
    async (error: unknown) => {
      await repairing?.close()
      throw error
    },
  )
  try {
    const watching = {
      ...timesOf(options),
      ...tellers(name, { ...surroundings, running, metrics, webhook }),
      store,
      projection,
      newId: context.newId,
      clock,
      steadyClock: () => performance.now(),
      holder: `${context.user} ${context.newId()}`,
      signal: running.drain,
      beside: (held: AbortSignal) => runBeside({ webhook, repairing, running }, held),
      repairStopped: () => repairing?.auto.stopped,
      tracing: context.tracing,
      ...(lookups && { lookups }),
      ...(consumer && { consumer }),
      onStep: context.failpoint,
    }
    if (group) await watchInGroup({ ...watching, ...group.options(context) })
    else {
      const memory = memoryOf({}, context)
      await watch({ ...watching, name, memory, fromStart: isFromStart(options), once: options.once ?? false })
    }
  } finally {
    await endpoint?.close()
    await repairing?.close()
  }
  running.throwFailure()
  return exitCode(options, context, running.last)
}

/** Delivers and repairs while the lease is held; at its end what is waiting is still delivered, if that does not take long. */
async function runBeside(
  {
    webhook,
    repairing,
    running,
  }: { webhook: Webhook | undefined; repairing: WatchRepair | undefined; running: Running },
  held: AbortSignal,
): Promise<void> {
  const delivered = new AbortController()
  const delivering = webhook?.run(delivered.signal).catch((error: unknown) => running.fail(error))
  await repairing?.auto.run(AbortSignal.any([held, running.drain]))
  if (!held.aborted) await once(held, 'abort')
  await webhook?.empty(LAST_DELIVERIES_MS)
  delivered.abort()
  await delivering
}

/** The session that runs, and what may end it from outside. */
class Running {
  session: Session | undefined
  last: Session | undefined
  readonly drain: AbortSignal
  readonly #failed = new AbortController()
  #isChecking = false

  constructor(interruption: AbortSignal) {
    this.drain = AbortSignal.any([interruption, this.#failed.signal])
  }

  begin(session: Session | undefined): void {
    this.session = session
    this.last = session ?? this.last
  }

  /** Notices when nobody reads the output any more: the watch need not go on then. */
  checkOutput({ stdout }: Context): void {
    if (this.#isChecking) return
    this.#isChecking = true
    const done = () => {
      this.#isChecking = false
    }
    stdout.drained().then(done, (error: unknown) => this.fail(error))
  }

  /** Something beside the watch cannot go on: the watch drains, and the failure is told. */
  fail(error: unknown): void {
    this.#failed.abort(error)
  }

  throwFailure(): void {
    this.#failed.signal.throwIfAborted()
  }
}

function timesOf({ outage, lagAlarm, checkpointEvery, remind, lease }: WatchCommandOptions) {
  return {
    outage,
    lagAlarmMs: lagAlarm,
    checkpointMs: checkpointEvery,
    remindMs: remind,
    leaseSilenceMs: lease,
    retryMs: 250,
    heartbeatMs: 1_000,
  }
}

/** Who is told of what. */
function tellers(
  name: string,
  about: Surroundings & { running: Running; metrics: WatchMetrics; webhook: Webhook | undefined },
) {
  const { context, print, running, metrics, webhook } = about
  const { logger, stderr } = context
  return {
    onAlert(record: AlertRecord) {
      metrics.countChange(record)
      print(record)
      running.checkOutput(context)
    },
    onWritten: (records: readonly AlertRecord[]) => webhook?.noteWritten(records),
    onDelivery: (tookMs: number) => metrics.observeDelivery(tookMs),
    onState: (state: WatchState) => logger.info({ state, name }, 'state'),
    onStandby: (holder: string) => stderr.write(`${escapeText(holder)} watches as ${name}: standing by\n`),
    onTrouble: (error: Error) => logger.warn({ err: error }, 'trouble'),
    onSession(session: Session | undefined) {
      running.begin(session)
      if (!session) return
      logger.info({ name, from: session.freshStart ?? 'checkpoint' }, 'session')
      if (session.aheadMs > AHEAD_MS) stderr.write(aheadWarning(session.aheadMs))
    },
  }
}

/** Drained: 130, as everywhere; stopped by who supervises it: 0. With `--once`: what is open. */
function exitCode({ once }: WatchCommandOptions, { interruption }: Context, last: Session | undefined): ExitCode {
  if (interruption.signal.aborted) return interruption.name() === 'SIGTERM' ? EXIT.clean : EXIT.interrupted
  if (once !== true || !last) return EXIT.clean
  if (last.detection.residents.counts.unattributable > 0) return EXIT.incomplete
  const found = [...last.detection.found.values()].flat()
  return found.some(({ finding }) => finding.disposition !== 'observe') ? EXIT.findings : EXIT.clean
}

async function openConsumer(
  reader: EventStore,
  { consumerCheckpoint: stream }: WatchCommandOptions,
): Promise<Consumer | undefined> {
  if (stream === undefined) return undefined
  const consumer = new Consumer({ reader, stream, clock: () => performance.now() })
  try {
    await consumer.open()
  } catch (error) {
    if (!(error instanceof ConsumerCheckpointError)) throw error
    throw new UsageError(`--consumer-checkpoint: ${error.message}`, { cause: error })
  }
  return consumer
}

function openLookups(lookUp: LookUp, { lookupAge, once }: WatchCommandOptions, { logger }: Context): LiveLookups {
  if (once) throw new UsageError('--once and --lookup: it would end before anybody has answered; take scan --lookup')
  const onTrouble = (error: Error) => logger.warn({ err: error }, 'lookup')
  return new LiveLookups({ lookUp, clock: () => performance.now(), ageMaxMs: lookupAge, onTrouble })
}

function openWebhook(
  store: EventStore,
  { name, url, context }: { name: string; url: URL; context: Context },
): Promise<Webhook> {
  const { clock, newId, env, logger, tracing } = context
  const onTrouble = (error: Error) => logger.warn({ err: error }, 'webhook')
  const secret = env[SECRET]
  const post = context.httpPost(url)
  return Webhook.open({ store, watch: name, post, clock, newId, tracing, onTrouble, ...(secret && { secret }) })
}

/** The present, going on from where `--now` or a generated store's marker puts it. */
async function clockOf(store: EventStore, options: WatchCommandOptions, { clock }: Context): Promise<() => number> {
  const start = clock()
  const ahead =
    (await nowOf({ ...(options.now !== undefined && { now: options.now }) }, undefined, store, start)) - start
  return () => clock() + ahead
}
