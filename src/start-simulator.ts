// Composition: the simulator of a ticket authority as a process of its own, so that it outlives whoever is killed while asking it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { SimulatorProcess } from './cli/context.js'

const MAIN = fileURLToPath(new URL('./simulator/main.js', import.meta.url))

/** The simulator could not be started, for instance because another process has its ledger. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError'
}

/** Starts one that ends with this process at the latest; `args` as its own command line. Throws SimulatorError. */
export async function startSimulator(args: readonly string[]): Promise<SimulatorProcess> {
  const child = spawn(process.execPath, [MAIN, ...args, '--until-input-ends'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const complaint: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk))
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => text as string)
  const url = await Promise.race([line, exited.then(() => undefined)])
  if (url === undefined) throw new SimulatorError(Buffer.concat(complaint).toString().trim())
  return {
    url,
    stop: async () => {
      child.stdin.end()
      await exited
    },
  }
}

/** Runs one in the foreground until it ends or `signal` asks for it; gives its exit code. */
export async function runSimulator(args: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end)
  try {
    const [code] = await once(child, 'exit')
    return (code as number | null) ?? 1
  } finally {
    signal.removeEventListener('abort', end)
  }
}
