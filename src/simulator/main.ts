// The simulator as a process: `node dist/src/simulator/main.js --ledger F`. Prints its URL as one line when it can be asked; ends on
// SIGINT and SIGTERM, and may be killed at any time.
import { type Arguments, parseArguments, USAGE } from './arguments.js'
import { startSimulator } from './server.js'

const EX_USAGE = 64

async function main(): Promise<void> {
  let parsed: Arguments
  try {
    parsed = parseArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exitCode = EX_USAGE
    return
  }
  const simulator = await startSimulator(parsed.options)
  // Before the URL is printed: who reads it may end this process at once.
  if (parsed.untilInputEnds) {
    // A Ctrl-C reaches the whole terminal; whoever started this one may have a question under way yet.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})
    process.stdin.resume().once('end', () => void simulator.stop())
  } else {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void simulator.stop())
  }
  process.stdout.write(`${simulator.url}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
})
