// The simulator as a process: `node dist/src/simulator/main.js --ledger F`. Prints its URL as one line when it can be asked; ends on
// SIGINT and SIGTERM, and may be killed at any time.
import { parseArguments, USAGE } from './arguments.js'
import { type SimulatorOptions, startSimulator } from './server.js'

const EX_USAGE = 64

async function main(): Promise<void> {
  let options: SimulatorOptions
  try {
    options = parseArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exitCode = EX_USAGE
    return
  }
  const simulator = await startSimulator(options)
  // Before the URL is printed: who reads it may end this process at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void simulator.stop())
  process.stdout.write(`${simulator.url}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
})
