// Replays what was asked of a real EventStoreDB 24.6.0, through the official client in processes of their own, and compares the answers.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { makeCertificate } from './certificate.js'
import { type Departure, EMBEDDED_DEPARTURES, INSECURE_DEPARTURES, SECURE_DEPARTURES } from './departures.js'
import { serve } from './served.js'

interface Observation {
  readonly case: string
  readonly result: unknown
}

const FOLDER = resolve(import.meta.dirname, 'observed')
const ROOT = resolve(import.meta.dirname, '../..')
const INSECURE = recorded('eventstoredb-24.6.0.insecure.jsonl')
const SECURE = recorded('eventstoredb-24.6.0.secure.jsonl')

/** Some answers are silence, which a loaded machine can be slow to keep apart: what differs is asked again so often. */
const FURTHER_TRIES = 4

/** Asked side by side, since most of the time is waiting. */
const INSECURE_GROUPS = [
  [
    'append/live',
    'append/missing',
    'append/soft',
    'append/tomb',
    'append/max',
    'append/ids',
    'append/metadata',
    'append/retry',
  ],
  ['append/raw', 'append/name', 'append/type', 'append/throw'],
  ['append/size', 'order', 'errors', 'features'],
  ['projections', 'http'],
  ['read', 'delete', 'tombstone', 'metadata'],
  ['subscribe/stream'],
  [
    'subscribe/all/',
    'subscribe/slow',
    'subscribe/all-filter/by',
    'subscribe/all-filter/ex',
    'subscribe/all-filter/from',
    'subscribe/all-filter/checkpoint-',
  ],
  ['subscribe/all-filter/checkpoints-c'],
  ['subscribe/all-filter/checkpoints-l'],
  ['persistent/create', 'persistent/missing', 'persistent/list', 'persistent/info', 'persistent/restart'],
  ['persistent/start', 'persistent/consume', 'persistent/nack', 'persistent/parked', 'persistent/replay'],
  [
    'persistent/retry',
    'persistent/ack',
    'persistent/max',
    'persistent/deleted',
    'persistent/updated',
    'persistent/stream',
  ],
  ['persistent/checkpoint', 'persistent/distribution', 'persistent/all'],
]
/** One server: what is told over HTTP of groups needs the groups of other cases. */
const SECURE_GROUPS = [['errors', 'features', 'http']]
const EMBEDDED_GROUPS = [
  ['append/live', 'append/raw-append', 'order'],
  ['read', 'delete', 'tombstone', 'metadata'],
  ['persistent/checkpoint', 'persistent/parked', 'persistent/replay', 'persistent/stream', 'persistent/all'],
  ['projections'],
]

const tallies: string[] = []
afterAll(() => process.stdout.write(`observed cases, equal / all (declared departures):\n${tallies.join('\n')}\n`))

describe('the answers of a real server', () => {
  it('are given without TLS', async () => {
    const start = async (cases: readonly string[]) => (await serve(projectionsFor(cases))).connectionString
    const departures = INSECURE_DEPARTURES
    await compare({ name: 'memory', start, groups: INSECURE_GROUPS, recorded: INSECURE, departures })
  }, 180_000)

  it('are given from a durable store', async () => {
    const start = async (cases: readonly string[]) => {
      const store = await openEmbeddedStore({ folder: join(temporaryFolder(), 'store') })
      return (await serve({ store, ...projectionsFor(cases) })).connectionString
    }
    const departures = EMBEDDED_DEPARTURES
    await compare({ name: 'embedded', start, groups: EMBEDDED_GROUPS, recorded: INSECURE, departures })
  }, 180_000)

  it('are given with TLS', async () => {
    const tls = makeCertificate()
    const ca = join(temporaryFolder(), 'ca.crt')
    writeFileSync(ca, tls.cert)
    const start = async () => {
      const { port } = await serve({ tls, systemProjections: true })
      return `esdb://admin:changeit@localhost:${port}?tls=true&tlsCAFile=${ca}`
    }
    const departures = SECURE_DEPARTURES
    await compare({ name: 'TLS', start, groups: SECURE_GROUPS, recorded: SECURE, departures })
  }, 180_000)

  it('are departed from only in cases that were recorded', () => {
    const declared = [...INSECURE_DEPARTURES, ...SECURE_DEPARTURES]
    const names = new Set([...INSECURE, ...SECURE].map((observation) => observation.case))
    expect(declared.filter((departure) => !names.has(departure.case))).toEqual([])
  })
})

interface Comparison {
  readonly name: string
  /** Starts a server and gives its connection string. Each group has one of its own: cases count what is in the log. */
  readonly start: (cases: readonly string[]) => Promise<string>
  readonly groups: readonly (readonly string[])[]
  readonly recorded: readonly Observation[]
  readonly departures: readonly Departure[]
}

async function compare({ name, start, groups, recorded, departures }: Comparison): Promise<void> {
  const wanted = recorded.filter((observation) => groups.flat().some((prefix) => observation.case.startsWith(prefix)))
  const expected = new Map(wanted.map((observation) => [observation.case, expectationOf(observation, departures)]))
  const answers = await Promise.all(groups.map(async (group) => ask(await start(group), group)))
  const got = new Map(answers.flat().map((observation) => [observation.case, observation.result]))
  const differing = () => [...expected.keys()].filter((key) => !isDeepStrictEqual(got.get(key), expected.get(key)))
  for (let left = FURTHER_TRIES; left > 0 && differing().length > 0; left--) {
    process.stdout.write(`${name}: asked again: ${differing().join(', ')}\n`)
    for (const again of await ask(await start(differing()), differing())) got.set(again.case, again.result)
  }
  tallies.push(...tallyOf({ name, recorded: wanted, departures, differing: differing() }))
  for (const key of differing()) expect.soft(got.get(key), key).toEqual(expected.get(key))
  expect(differing()).toEqual([])
  expect(wanted.length).toBeGreaterThan(40)
}

/** Where they were on when the cases were recorded. */
function projectionsFor(cases: readonly string[]) {
  return { systemProjections: cases.some((name) => /^(projections|http)/.test(name)) }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'observed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function ask(connectionString: string, prefixes: readonly string[]): Promise<Observation[]> {
  const only = prefixes.flatMap((prefix) => ['--only', prefix])
  const args = ['--no-warnings', join(FOLDER, 'observe.mjs'), connectionString, ...only]
  const child = spawn(process.execPath, args, { cwd: ROOT })
  const [lines, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect(errors).toBe('')
  return parse(lines)
}

function recorded(file: string): Observation[] {
  return parse(readFileSync(join(FOLDER, file), 'utf8'))
}

function parse(lines: string): Observation[] {
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** What was recorded, with this server's own answer where it departs. */
function expectationOf({ case: name, result }: Observation, departures: readonly Departure[]): unknown {
  return departures
    .filter((departure) => departure.case === name)
    .reduce((whole, { at, ours }) => replaced(whole, at, ours), result)
}

function replaced(whole: unknown, [key, ...rest]: readonly string[], part: unknown): unknown {
  if (key === undefined) return part
  const fields = whole as Record<string, unknown>
  expect(fields).toHaveProperty([key])
  return { ...fields, [key]: replaced(fields[key], rest, part) }
}

/** Lines of the table: a prefix's cases that are equal, all, and those in which this server departs. */
function tallyOf({
  name,
  recorded,
  departures,
  differing,
}: Pick<Comparison, 'name' | 'recorded' | 'departures'> & { readonly differing: readonly string[] }): string[] {
  const departing = new Set(departures.map((departure) => departure.case))
  const prefixes = [...new Set(recorded.map((observation) => observation.case.split('/')[0] ?? ''))]
  return prefixes.map((prefix) => {
    const cases = recorded.map((observation) => observation.case).filter((key) => key.startsWith(`${prefix}/`))
    const declared = cases.filter((key) => departing.has(key)).length
    const failed = cases.filter((key) => differing.includes(key) && !departing.has(key)).length
    return `  ${name} ${prefix}: ${cases.length - declared - failed} / ${cases.length} (${declared})`
  })
}
