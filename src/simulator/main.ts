// The simulator as a process: `node dist/src/simulator/main.js --ledger F`. Prints its URL as one line when it can be asked; ends on
// SIGINT and SIGTERM, and may be killed at any time.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type SimulatorOptions, startSimulator } from './server.js'

const USAGE = `Usage: node dist/src/simulator/main.js --ledger FILE [options]

  --port N            default: any free port
  --known FILE        tickets issued before, as generate writes them (authority.jsonl)
  --behaviour FILE    JSON with any of: seed, latencyMs, refusalRate, refusals, lostRate, garbageRate, hangRate
  --seed N, --latency-ms N, --refusal-rate R, --lost-rate R, --garbage-rate R, --hang-rate R
`
const EX_USAGE = 64

const text = { type: 'string' } as const
const options = {
  ledger: text,
  port: text,
  known: text,
  behaviour: text,
  seed: text,
  'latency-ms': text,
  'refusal-rate': text,
  'lost-rate': text,
  'garbage-rate': text,
  'hang-rate': text,
} as const

function optionsIn(args: string[]): SimulatorOptions {
  const { values } = parseArgs({ args, options })
  const { ledger, known, port, behaviour } = values
  if (ledger === undefined) throw new TypeError('--ledger is needed')
  const numbers = { port, seed: values.seed, latencyMs: values['latency-ms'], ...ratesOf(values) }
  return {
    ledger,
    ...(known !== undefined && { known }),
    ...(behaviour !== undefined && (JSON.parse(readFileSync(behaviour, 'utf8')) as object)),
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]])),
    ),
  }
}

function ratesOf(values: Partial<Record<keyof typeof options, string>>) {
  return {
    refusalRate: values['refusal-rate'],
    lostRate: values['lost-rate'],
    garbageRate: values['garbage-rate'],
    hangRate: values['hang-rate'],
  }
}

async function main(): Promise<void> {
  let parsed: SimulatorOptions
  try {
    parsed = optionsIn(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exitCode = EX_USAGE
    return
  }
  const simulator = await startSimulator(parsed)
  // Before the URL is told: whoever reads it may stop the process at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void simulator.stop())
  process.stdout.write(`${simulator.url}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
})
