// `makegood serve` as a process of its own, from the build; gone with its test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js')

/** A busy machine may take long to write: no test is about that. */
const PATIENT_MS = '30000'

/** How a process ended and what it printed. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ServeProcess {
  readonly pid: number
  readonly connectionString: string
  readonly port: number
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<Ended>
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>
}

export interface ServeStart {
  /** A shell script in which `"$@"` is the command line. Default: no shell. */
  readonly shell?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a server on a free port and waits until it has told where. Throws what it printed where it ends before that. */
export async function startServe(args: readonly string[], start: ServeStart = {}): Promise<ServeProcess> {
  const child = spawnServe(['--port', '0', '--commit-timeout-ms', PATIENT_MS, ...args], start)
  const ended = endOf(child)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const connectionString = await Promise.race([firstLine(child), ended.then(({ stderr }) => Promise.reject(stderr))])
  return {
    pid: child.pid ?? 0,
    connectionString,
    port: Number(/:(\d+)\?/.exec(connectionString)?.[1]),
    ended,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a server that is expected not to start. */
export function runServe(args: readonly string[]): Promise<Ended> {
  return endOf(spawnServe(args, {}))
}

/** Mebibytes that a process holds: of its own (`RssAnon`), or with the pages of the store that it has looked at (`VmRSS`). */
export function memoryOf(pid: number, field: 'RssAnon' | 'VmRSS' = 'RssAnon'): number {
  const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) / 1024
}

/** Whether the system tells what a process holds. */
export const TELLS_MEMORY = existsSync('/proc/self/status')

/** Waits until a process grows no more. */
export async function settledMemoryOf(pid: number): Promise<number> {
  let [before, now] = [0, memoryOf(pid)]
  while (now > before + 1) {
    await sleep(700)
    ;[before, now] = [now, memoryOf(pid)]
  }
  return now
}

/** Milliseconds of processor time that a process has used. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return ticks * 10
}

/** A folder for one test, gone with it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-serve-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function spawnServe(args: readonly string[], { shell, env }: ServeStart): ChildProcess {
  const command = [process.execPath, MAIN, 'serve', ...args]
  const [program = '', ...rest] = shell === undefined ? command : ['sh', '-c', shell, 'sh', ...command]
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout, stderr }
}
