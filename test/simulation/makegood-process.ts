// The built program as a process that can be killed: at a failpoint, after a time, or when it takes longer than anything may.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js')

/** What no process of these tests may take, however loaded the machine. */
const TIME_MAX_MS = 120_000

export interface End {
  /** The command and, where there was one, the failpoint. */
  readonly what: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It took longer than anything may, and was killed for that. */
  readonly isHung: boolean
  readonly stdout: string
  readonly stderr: string
}

export class MakegoodProcess {
  readonly end: Promise<End>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #isHung = false

  /** Starts one command line. `failpoint` as MAKEGOOD_FAILPOINT has it: `step` or `step:n`. */
  constructor(
    readonly args: readonly string[],
    readonly failpoint = '',
  ) {
    const env = { ...process.env, NO_COLOR: '1', MAKEGOOD_FAILPOINT: failpoint }
    this.#child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout?.on('data', (text) => {
      this.#stdout += text
    })
    this.#child.stderr?.on('data', (text) => {
      this.#stderr += text
    })
    this.end = this.#untilEnd()
  }

  /** SIGKILL; nothing where it is gone. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Waits for the failpoint; false where the process ended before it came there. */
  async reachesFailpoint(): Promise<boolean> {
    while (this.isRunning && !this.#stderr.includes(`failpoint ${this.failpoint}\n`)) await sleep(1)
    return this.isRunning
  }

  /** Waits for the first row of output, or the end. */
  async tellsSomething(): Promise<void> {
    while (this.isRunning && this.#stdout === '') await sleep(1)
  }

  async #untilEnd(): Promise<End> {
    const timer = setTimeout(() => {
      this.#isHung = true
      this.kill()
    }, TIME_MAX_MS)
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null]
    clearTimeout(timer)
    const what = [this.args[0], this.failpoint].filter((word) => word !== '').join(' at ')
    return { what, code, signal, isHung: this.#isHung, stdout: this.#stdout, stderr: this.#stderr }
  }
}

/** Runs one command line to its end. */
export function runMakegood(...args: readonly string[]): Promise<End> {
  return new MakegoodProcess(args).end
}

/** The rows of an ndjson output; a last row that a kill cut off was not told. */
export function rowsIn(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
