// The simulator's command line: arguments become settings.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { SimulatorOptions } from './server.js'

export const USAGE = `Usage: node dist/src/simulator/main.js --ledger FILE [options]

  --port N            default: any free port
  --known FILE        tickets issued before, as generate writes them (authority.jsonl)
  --behaviour FILE    JSON with any of: seed, latencyMs, refusalRate, refusals, lostRate, garbageRate, hangRate
  --until-input-ends  end when standard input does
  --seed N, --latency-ms N, --refusal-rate R, --lost-rate R, --garbage-rate R, --hang-rate R
`

const text = { type: 'string' } as const
const OPTIONS = {
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
  'until-input-ends': { type: 'boolean' },
} as const

const NUMBERS = {
  port: 'port',
  seed: 'seed',
  'latency-ms': 'latencyMs',
  'refusal-rate': 'refusalRate',
  'lost-rate': 'lostRate',
  'garbage-rate': 'garbageRate',
  'hang-rate': 'hangRate',
} as const

/** What the process is told; `untilInputEnds`: it ends with who started it, even when that is killed. */
export interface Arguments {
  readonly options: SimulatorOptions
  readonly untilInputEnds: boolean
}

/** Settings from arguments; those of the behaviour file give way to them. Throws where an argument is unknown or the file is no JSON. */
export function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const { ledger, known, behaviour } = values
  if (ledger === undefined) throw new TypeError('--ledger is needed')
  const numbers = Object.entries(NUMBERS).flatMap(([option, name]) => {
    const value = values[option as keyof typeof NUMBERS]
    return value === undefined ? [] : [[name, Number(value)] as const]
  })
  const options = {
    ...(behaviour !== undefined && (JSON.parse(readFileSync(behaviour, 'utf8')) as object)),
    ...Object.fromEntries(numbers),
    ledger,
    ...(known !== undefined && { known }),
  }
  return { options, untilInputEnds: values['until-input-ends'] ?? false }
}
