// The tables of docs/booking.md that are made from the code: every inconsistency, and the guards. Writes them into the page from the
// built projection (`npm run build` first). A test holds the page to the code.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const PAGE = new URL('../docs/booking.md', import.meta.url)
const BEGIN = '<!-- made by scripts/booking-table.mjs: begin -->'
const END = '<!-- made by scripts/booking-table.mjs: end -->'

/** The page with its tables made anew from the parts of the projection. */
export function withTables(page, { booking, GUARDS, WAITING_GUARDS, handlingOf, rulesOf }) {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error('docs/booking.md has no place for the tables')
  const guards = [...Object.keys(GUARDS), ...Object.keys(WAITING_GUARDS), 'the history is whole and wholly decoded']
  const tables = [
    '| inconsistency | what it is | true where all of these hold | severity | disposition |',
    '|---|---|---|---|---|',
    ...inReadingOrder(booking, rulesOf).map((rule) => rowOf(rule, handlingOf)),
    '',
    'A `repair` is done by the machine only where all of these hold as well, and no finding of the booking is for a person or says never:',
    '',
    ...guards.map((guard) => `- ${guard}`),
    '',
    `Times: ${Object.entries(booking.policy)
      .map(([name, ms]) => `${name.replace(/Ms$/, '')} ${ms / 60_000} min`)
      .join(', ')}.`,
  ]
  return `${page.slice(0, begin + BEGIN.length)}\n\n${tables.join('\n')}\n\n${page.slice(end)}`
}

/** The projection's own rules, those across bookings, and those that the engine has for every projection. */
function inReadingOrder(booking, rulesOf) {
  const own = [...booking.rules, ...booking.sharedKeys]
  const ids = new Set(own.map(({ id }) => id))
  return [...own, ...rulesOf(booking).filter(({ id }) => !ids.has(id))]
}

function rowOf(rule, handlingOf) {
  const cells = [`**${rule.id}**`, rule.title, conditionsOf(rule), rule.severity, handlingOf(rule)]
  return `| ${cells.join(' | ')} |`
}

function conditionsOf({ when, keys, uses = [] }) {
  if (keys) return 'one number for two passengers, of this booking or of two'
  if (!when) return 'told by the engine, for every projection'
  return [...Object.keys(when), ...uses.map((lookup) => `(where ${lookup} is configured)`)].join('; ')
}

async function main() {
  const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href)
  const paths = ['projections/booking/booking', 'projections/booking/guards', 'projections/booking/handling']
  const parts = await Promise.all([...paths, 'src/engine/detect'].map(load))
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), Object.assign({}, ...parts)))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
