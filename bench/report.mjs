// How results are shown and kept: one section a bench in RESULTS.md, replaced by each run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const pathOf = (page) => fileURLToPath(new URL(page, import.meta.url))
const TITLE = `# What was measured last

Each section is what \`npm run bench -- NAME\` printed. Times are medians of whole processes, from start to exit, taken in turns with
the rivals; the processor's time is that of all threads; memory is the highest private memory (RssAnon) seen in any run.
`

/** What the figures were taken on. */
export function machineLine() {
  const [first] = cpus()
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown'}, ${memory}, ${platform()} ${release()} ${arch()}, Node ${process.versions.node}`
}

/**
 * A bench's result as Markdown. `rows`: what ran, its figures, and what they are to the first row's; or a
 * `table` of its own.
 */
export function renderResult(name, { about, rows = [], table = timesTable(rows), notes = [] }, machine) {
  return [
    `## ${name}`,
    '',
    about,
    '',
    ...table,
    '',
    ...notes.map((note) => `- ${note}`),
    '',
    `Machine: ${machine}. ${new Date().toISOString().slice(0, 10)}.`,
    '',
  ].join('\n')
}

function timesTable(rows) {
  const [own] = rows
  const lines = rows.map((row) => {
    const times = row.all.map((ms) => (ms / 1000).toFixed(2)).join(' ')
    const ratio =
      row === own
        ? ''
        : `${(row.ms / own.ms).toFixed(2)} x the time, ${(row.peakBytes / own.peakBytes).toFixed(1)} x the memory`
    return `| ${row.what} | ${(row.ms / 1000).toFixed(2)} s | ${(row.cpuMs / 1000).toFixed(2)} s | ${(row.peakBytes / 1e6).toFixed(0)} MB | ${ratio} | ${times} |`
  })
  return [
    '| what ran | median | on the processor | peak memory | beside the first | all runs, s |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ]
}

/** Puts a section into a page, in the place of its forerunner. */
export function keepResult(name, section, page = 'RESULTS.md') {
  const file = pathOf(page)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : TITLE
  const sections = text.split(/^(?=## )/m).filter((part) => !part.startsWith(`## ${name}\n`))
  writeFileSync(file, `${[...sections.map((part) => part.trimEnd()), section.trimEnd()].join('\n\n')}\n`)
}
