// Starts the small programs beside this file as real processes, from the build.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** How a child ended and what it printed. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts one of the programs. */
export function startChild(program: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [pathOf(program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Starts one of the programs by a shell script in which `"$@"` is its command line. */
export function startInShell(script: string, program: string, args: readonly string[]): ChildProcess {
  const command = [process.execPath, pathOf(program), ...args]
  return spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Waits until a child has ended. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (text) => {
    stdout += text
  })
  child.stderr?.on('data', (text) => {
    stderr += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout, stderr }
}

/** A folder for one test, gone with it. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-embedded-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function pathOf(program: string): string {
  return fileURLToPath(new URL(program, import.meta.url))
}
