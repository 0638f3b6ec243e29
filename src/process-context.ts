// Composition: the process as the commands see it (terminal, clock, signals, logger) and the parts that stand behind their ports.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem, userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import type { Context, Interruption, LogFiles, LogFilesOptions } from './cli/context.js'
import { UsageError } from './cli/exit-codes.js'
import { examineStore } from './examine-store.js'
import { httpPost } from './http-post.js'
import { loadProjection } from './load-projection.js'
import { NO_TRACING, type Tracing } from './log/tracing.js'
import { openMetricsEndpoint } from './metrics-endpoint.js'
import { openAuthority } from './open-authority.js'
import { openLookup } from './open-lookup.js'
import { openStore } from './open-store.js'
import { OutputStream } from './output-stream.js'
import { tracedAuthority } from './repair/traced-authority.js'
import { replayThreads } from './replay-threads.js'
import { folderScratch } from './scratch/folder-scratch.js'
import { runSimulator, startSimulator } from './start-simulator.js'
import { openCompensationFile } from './stores/files/compensations.js'
import { readLinesOf } from './stores/files/lines.js'
import { LogOptionsError, openLogFiles } from './stores/files/logs.js'
import { surveyThreads } from './survey-threads.js'

/** An event's metadata may be as large as a message on the wire, and a third more in base64. */
const EVENT_LINE_BYTES_MAX = 64 * 1024 * 1024

/** Of what is alive. */
const GARBAGE_PERCENT_MAX = 100

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

/** The context of this process. The first SIGINT or SIGTERM drains, the second ends it. */
export function processContext(tracing: Tracing = NO_TRACING): Context {
  const { env, stdout, stderr } = process
  boundGarbage()
  const logger = pino({ level: 'warn', base: null }, pino.destination({ dest: 2, sync: true }))
  const interruption = watchSignals()
  return {
    version: programVersion(),
    env,
    stdout: new OutputStream(stdout),
    stderr: new OutputStream(stderr),
    logger,
    setLogLevel(level) {
      if (level === undefined) return
      const known = Object.values(logger.levels.labels)
      if (!known.includes(level)) throw new UsageError(`--log-level ${level}: expected one of ${known.join(', ')}`)
      logger.level = level
    },
    clock: Date.now,
    newId: randomUUID,
    pause: (ms) => sleep(ms).then(() => {}),
    interruption,
    user: userName(),
    ask,
    openStore,
    // Loaded only where it is asked for: the protocol's messages would slow down the start of every other command.
    serve: async (options) => (await import('./serve-store.js')).serveStore(options, logger),
    openMetricsEndpoint,
    httpPost,
    examineStore,
    openLogFiles: openLogFilesAsAsked,
    openCompensationFile,
    readLines: (files) => readLinesOf(files, EVENT_LINE_BYTES_MAX),
    loadProjection,
    openAuthority: async (where) => {
      const authority = await openAuthority(where)
      return tracing.isOn ? tracedAuthority(authority, tracing) : authority
    },
    tracing,
    openLookup,
    startSimulator,
    runSimulator: (args) => runSimulator(args, interruption.signal),
    memoryBytesDefault: memoryShare(),
    threadsDefault: availableParallelism(),
    threads: replayThreads,
    openScratch: (folder = tmpdir()) => folderScratch(folder),
    runSelf,
    failpoint: failpointOf(env.MAKEGOOD_FAILPOINT),
  }
}

/** What the command line asked for in vain is a matter of the command line. */
function openLogFilesAsAsked({ workers = 1, ...options }: LogFilesOptions): LogFiles {
  try {
    const threads = surveyThreads(workers - 1)
    return openLogFiles({ ...options, ...(threads && { threads }) })
  } catch (error) {
    throw error instanceof LogOptionsError ? new UsageError(error.message, { cause: error }) : error
  }
}

/**
 * V8 lets garbage grow to four times of what is alive before it collects all of it, which would defeat memory limits: 527 MB instead of 364 under
 * `--memory 256mb`, in the same time.
 */
function boundGarbage(): void {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT_MAX}`)
}

/** A quarter of the machine, and never more than the process's heap holds beside everything else. */
function memoryShare(): number {
  return Math.floor(Math.min(totalmem() / 4, getHeapStatistics().heap_size_limit / 3))
}

/** The version that package.json names. */
export function programVersion(): string {
  // dist/src/ in the package, two folders below its package.json.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function watchSignals(): Interruption {
  const controller = new AbortController()
  let first: ReturnType<Interruption['name']>
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130)
      first = name
      controller.abort()
    })
  }
  return { signal: controller.signal, name: () => first }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user id without a name, as in many containers.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

function runSelf(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code: code ?? 1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    )
  })
}

/**
 * `step` or `step:n`: at the n-th such step the process says so on standard error and waits to be killed; whatever else is under way in it
 * waits at its next step.
 */
function failpointOf(text: string | undefined): Context['failpoint'] {
  if (text === undefined || text === '') return undefined
  const [step, nth = '1'] = text.split(':')
  let left = Number(nth)
  return async (reached) => {
    if (reached === step) left -= 1
    if (left > 0) return
    if (reached === step && left === 0) process.stderr.write(`failpoint ${text}\n`)
    // Bounded, so that a test that dies leaves no process behind.
    await sleep(60_000)
    process.exit(1)
  }
}
