// Runs the built program as a person would: a process of its own, real files, real exit codes.
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js')

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command line; `input` is its standard input, `env` is added to the environment. */
export function makegood(
  args: readonly string[],
  { input, env, cwd }: { input?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<Ran> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      ...(cwd !== undefined && { cwd }),
    })
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', fail)
    child.on('close', (code) =>
      done({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    )
    child.stdin.end(input ?? '')
  })
}

/** The rows of an ndjson output. */
export function rowsOf({ stdout }: Ran): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The summary: the last row. */
export function summaryOf(ran: Ran): Record<string, unknown> {
  return rowsOf(ran).at(-1) ?? {}
}

/** A new folder of its own. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'makegood-cli-'))
}
