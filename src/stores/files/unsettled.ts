// Log files without the transactions that are settled: surveyed first, then only the lines of the others are made events of. Most of a log is
// never more than bytes.
import type { EventBatch, RecordedEvent } from '../../log/event.js'
import { fetchLines } from './line-fetcher.js'
import { LogFileError } from './lines.js'
import type { LogPass } from './log-pass.js'
import { type Survey, type SurveyOptions, surveyLogs } from './survey.js'

/** Nothing has been given: a reading that went on from here would begin anew. */
const NOWHERE = { commit: 0n, prepare: 0n }

/**
 * Reads log files, giving the events of transactions only that are not settled, in their order and as a reading of everything would
 * give them. Returns the survey's pass, or undefined where no survey can be made: then nothing has been given. Throws LogFileError and
 * the signal's reason.
 */
export async function* readUnsettled(
  options: SurveyOptions,
): AsyncGenerator<EventBatch, LogPass | undefined, undefined> {
  const survey = yield* tellingProgress(surveyLogs(options))
  if (!survey) return undefined
  for await (const events of eventsOf(survey, options.newPass())) {
    const last = events.at(-1)
    if (last) yield { events, position: last.position }
    options.signal?.throwIfAborted()
  }
  yield { events: [], position: survey.pass.position, leftOut: survey.leftOut }
  return survey.pass
}

async function* tellingProgress(
  surveying: ReturnType<typeof surveyLogs>,
): AsyncGenerator<EventBatch, Survey | undefined, undefined> {
  try {
    let step = await surveying.next()
    for (; !step.done; step = await surveying.next()) {
      yield { events: [], position: NOWHERE, examined: step.value.payments + step.value.tickets }
    }
    return step.value
  } finally {
    // Of a reading that is left: the survey has files open, and maybe threads.
    await surveying.return(undefined)
  }
}

async function* eventsOf({ logs }: Survey, pass: LogPass): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
  let linesBefore = 0
  for (const log of logs) {
    const { file, lines, bytes, isPacked, hasGaps } = log
    for await (const batch of fetchLines(file, lines, { bytesMax: bytes, isWhole: hasGaps || isPacked })) {
      yield batch.map((line) => {
        const event = pass.takeAt(linesBefore + line.number, line, log)
        if (event) return event
        const why = `line ${line.number} has changed since it was read; run again`
        throw new LogFileError(`${file}: cannot be read: ${why}`)
      })
    }
    linesBefore += lines.count
  }
}
