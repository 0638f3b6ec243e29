// The simulator as a real process, for tests that kill it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/src/simulator/main.js', import.meta.url))

export interface SimulatorProcess {
  readonly url: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with its exit code. */
  end(): Promise<number | null>
}

/** Starts `node dist/src/simulator/main.js` and waits for its URL. Throws what it wrote on stderr where it ends before; files of `fileBlocksMax` blocks are full. */
export async function spawnSimulator(
  args: readonly string[],
  { fileBlocksMax }: { fileBlocksMax?: number } = {},
): Promise<SimulatorProcess> {
  // `exec`: the shell becomes the process, so that a kill hits what is meant.
  const limit = fileBlocksMax === undefined ? '' : `ulimit -f ${fileBlocksMax}; `
  const child = spawn('/bin/sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const lines = createInterface({ input: child.stdout })
  const url = await Promise.race([once(lines, 'line').then(([line]) => line as string), exited.then(() => undefined)])
  if (url === undefined) throw new Error(`exit ${child.exitCode}: ${complaint}`)
  return {
    url,
    kill: () => finish(child, exited, 'SIGKILL').then(() => undefined),
    end: () => finish(child, exited, 'SIGTERM'),
  }
}

async function finish(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  await exited
  return child.exitCode
}
