// A survey of two logs: every line is looked at, none is kept. It finds the transactions that are settled, which have a ticket and nothing
// unreadable, and picks the lines of all the others. What the ids take of memory is bounded: where all of them are too many, the files
// are read in several rounds, each for a share of the ids. Several threads may take part; what is found is the same.
import { randomInt } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { LeftOut } from '../../log/event.js'
import { IdTableFullError } from './id-table.js'
import { isPacked } from './lines.js'
import type { LineSource, LogPass, LogReport } from './log-pass.js'
import type { LineRules } from './stretch.js'
import { type SurveyedLog, SurveyMerge } from './survey-merge.js'
import type { SurveyTask, TaskLog } from './survey-part.js'
import { SurveyTeam, type SurveyThreads } from './survey-threads.js'

/** More rounds than this would take for ever. */
const ROUNDS_MAX = 1024
/** More threads would mostly wait for memory. */
const THREADS_MAX = 16
const THREAD_BYTES_MIN = 64 * 2 ** 20
const RANGE_BYTES = 2 ** 20

export interface SurveyOptions extends LineRules {
  /** All payments before all tickets. */
  readonly logs: readonly LineSource[]
  /** A new pass, whose counts are those of the survey. */
  readonly newPass: () => LogPass
  /** What the ids may take of memory; beside it, less than a byte a line is used. */
  readonly bytesMax: number
  readonly threads?: SurveyThreads
  readonly signal?: AbortSignal
}

export interface Survey {
  readonly logs: readonly SurveyedLog[]
  readonly leftOut: LeftOut
  /** With the counts of all lines. */
  readonly pass: LogPass
}

/**
 * Surveys logs that can be read twice. Yields now and then, with the counts so far. Returns undefined where there are too many ids or too long
 * ones. The last event of the logs is always picked. Throws LogFileError and the signal's reason.
 */
export async function* surveyLogs(options: SurveyOptions): AsyncGenerator<LogReport, Survey | undefined, undefined> {
  try {
    const logs = await Promise.all(options.logs.map(taskLogOf))
    for (let rounds = 1; rounds <= ROUNDS_MAX; rounds *= 2) {
      const survey = yield* surveyInRounds(options, logs, rounds)
      if (survey !== 'too many ids') return survey
    }
  } catch (error) {
    if (!(error instanceof IdTableFullError)) throw error
  }
  return undefined
}

async function taskLogOf({ file, category }: LineSource): Promise<TaskLog> {
  return { file, category, bytes: (await stat(file)).size, isPacked: await isPacked(file) }
}

async function* surveyInRounds(
  options: SurveyOptions,
  logs: readonly TaskLog[],
  rounds: number,
): AsyncGenerator<LogReport, Survey | 'too many ids', undefined> {
  const { key, paymentTypes, ticketTypes } = options
  const rules = { key, ...(paymentTypes && { paymentTypes }), ...(ticketTypes && { ticketTypes }) }
  const merge = new SurveyMerge(logs, options.newPass())
  const threads = threadsFor(logs, options.threads)
  const leftOut = { events: 0, streams: 0, subjects: 0 }
  const rangeBytes = options.threads?.rangeBytes ?? RANGE_BYTES
  // One seed for all rounds: by the hash an id has its round.
  const seed = randomInt(2 ** 31)
  for (let round = 0; round < rounds; round += 1) {
    const task = { ...rules, logs, round, rounds, threads, seed, rangeBytes, bytesMax: options.bytesMax }
    const settled = yield* surveyRound(task, merge, options)
    if (settled === 'too many ids') return settled
    leftOut.events += settled.events
    leftOut.streams += settled.streams
    leftOut.subjects += settled.subjects
  }
  return { logs: merge.logs, leftOut, pass: merge.pass }
}

/** How many threads the logs are worth, this one included. A packed log can only be read from its start, by one. */
function threadsFor(logs: readonly TaskLog[], threads: SurveyThreads | undefined): number {
  if (!threads || logs.some(({ isPacked }) => isPacked)) return 1
  const bytes = logs.reduce((sum, log) => sum + log.bytes, 0)
  return Math.max(
    1,
    Math.min(threads.count + 1, THREADS_MAX, Math.floor(bytes / (threads.bytesMin ?? THREAD_BYTES_MIN))),
  )
}

async function* surveyRound(
  task: SurveyTask,
  merge: SurveyMerge,
  { bytesMax, threads, signal }: SurveyOptions,
): AsyncGenerator<LogReport, LeftOut | 'too many ids', undefined> {
  merge.beginRound(task)
  const team = new SurveyTeam(task, threads)
  try {
    for await (const report of team.part.survey()) {
      for (const each of [report, ...team.takeReports()]) merge.add(each)
      if (merge.bytes > bytesMax) return 'too many ids'
      yield merge.pass.report
      signal?.throwIfAborted()
    }
    await team.surveyed()
    for (const report of team.takeReports()) merge.add(report)
    if (merge.bytes > bytesMax) return 'too many ids'
    yield merge.pass.report
    return await settle(team, merge)
  } finally {
    await team.close()
  }
}

/** Picks the lines of what is not settled, in all threads, and counts what is. */
async function settle(team: SurveyTeam, merge: SurveyMerge): Promise<LeftOut> {
  const others = team.settle(merge.lastLineId)
  const counts = [team.part.settle(merge.lastLineId, (id) => merge.pick(id))]
  for (const part of await others) {
    counts.push(part.counts)
    for (const id of part.lineIds) merge.pick(id)
  }
  return {
    events: sumOf(counts.map(({ events }) => events)),
    streams: sumOf(counts.map(({ streams }) => streams)),
    subjects: sumOf(counts.map(({ subjects }) => subjects)),
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
