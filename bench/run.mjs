// `npm run bench -- NAME…`: measures what this program does beside its rivals, in one run on one machine, prints a table and keeps
// it in RESULTS.md. `all` runs every bench; `--data DIR` keeps the made-up input there for the next run; `--short` tries a bench that takes
// minutes for a few seconds, and keeps nothing.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { keepResult, machineLine, renderResult } from './report.mjs'

const BENCHES = [
  'serve',
  'logs',
  'wire',
  'embedded',
  'memory',
  'live',
  'groups',
  'repair',
  'limits',
  'growth',
  'workers',
  'as-of',
]
const main = fileURLToPath(new URL('../dist/src/main.js', import.meta.url))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, runs: { type: 'string', default: '5' }, short: { type: 'boolean' } },
})
const names = positionals.includes('all') ? BENCHES : positionals
const unknown = names.filter((name) => !BENCHES.includes(name))
if (names.length === 0 || unknown.length > 0) {
  process.stderr.write(
    `bench: expected names of ${BENCHES.join(', ')}, or all; found ${unknown.join(', ') || 'none'}\n`,
  )
  process.exit(64)
}
if (!existsSync(main)) {
  process.stderr.write('bench: nothing is built; run npm run build\n')
  process.exit(1)
}

for (const name of names) {
  const { bench, page } = await import(`./${name}.mjs`)
  const folder = values.data === undefined ? mkdtempSync(join(tmpdir(), 'makegood-bench-')) : resolve(values.data)
  mkdirSync(folder, { recursive: true })
  try {
    const result = await bench({ folder, main, runs: Number(values.runs), short: values.short ?? false })
    const text = renderResult(name, result, machineLine())
    process.stdout.write(`${text}\n`)
    if (!values.short) keepResult(name, text, page)
  } finally {
    if (values.data === undefined) rmSync(folder, { recursive: true, force: true })
  }
}
