// How findings and the summary of a scan are printed.
import type { Cut } from '../engine/cut.js'
import type { Finding } from '../engine/finding.js'
import type { JsonObject } from '../engine/json.js'
import type { ReplayResult, ScanSummary, Waiting } from '../engine/replay.js'
import { EXIT, type ExitCode } from './exit-codes.js'
import { counted, type Layout, type Row } from './output.js'

export const FINDING_LAYOUT: Layout = {
  list: 'findings',
  columns: [
    { head: 'severity', of: (row) => row.severity },
    { head: 'rule', of: (row) => row.rule },
    { head: 'subject', of: (row) => row.subject },
    {
      head: 'disposition',
      of: describeDisposition,
    },
    { head: 'since', of: (row) => row.since },
    { head: 'about', of: (row) => row.occurrence },
    { head: 'detail', of: (row) => (Object.keys(row.detail as object).length === 0 ? '' : row.detail) },
    { head: 'id', of: (row) => row.id },
  ],
  describe: (summary) => describeScan(summary as unknown as ScanSummary),
}

function describeDisposition({ disposition, heldBy, waitsFor }: Row): unknown {
  if (heldBy) return `held by ${(heldBy as string[]).join(', ')}`
  return waitsFor ? `waits: ${(waitsFor as string[]).join(', ')}` : disposition
}

/** How many findings wait for each guard. */
export function countWaiting(waiting: Waiting): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of [...waiting.values()].flat()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** A finding as one row, in the order of fields that scripts rely on. */
export function findingRow(finding: Finding, waiting?: Waiting): Row {
  return toldRow(finding, waiting?.get(finding.id))
}

/** The same with the guards that its repair waits for. */
export function toldRow(finding: Finding, unmet: readonly string[] | undefined): Row {
  const { id, rule, subject, severity, disposition, since, evidence, detail, ...rest } = finding
  const known = { id, rule, subject, severity, disposition, since, evidence, detail, ...rest }
  return { type: 'finding', ...known, ...(unmet && { waitsFor: unmet }) }
}

/** A scan's summary as one row. `isLasting`: nothing in it is of this run, so that the same question gives the same bytes for ever. */
export function summaryRow(
  { projection, version, now, filters, cut, ...rest }: ScanSummary,
  { isLasting }: { readonly isLasting: boolean } = { isLasting: false },
): Row {
  return {
    type: 'summary',
    projection,
    version,
    now,
    filters,
    cut: cutRow(cut),
    ...(rest.happenedBy !== undefined && { happenedBy: rest.happenedBy }),
    coverage: rest.coverage,
    findings: rest.findings,
    digest: rest.digest,
    ...(!isLasting && { elapsedMs: rest.elapsedMs }),
  }
}

/** A cut as scripts read it. */
export function cutRow(cut: Cut | null): JsonObject | null {
  return cut && { commit: `${cut.position.commit}`, prepare: `${cut.position.prepare}`, time: cut.time }
}

function describeScan(summary: Omit<ScanSummary, 'elapsedMs'> & Partial<ScanSummary>): string[] {
  const { projection, version, now, happenedBy, coverage, findings, digest, elapsedMs } = summary
  const { events, streams, subjects, undecodable, gaps, unattributable, unreadable } = coverage
  const rules = Object.entries(findings).map(([rule, count]) => `${rule} ${count.toLocaleString('en')}`)
  return [
    rules.length === 0 ? 'No findings.' : `Findings: ${rules.join(', ')}.`,
    `Read: ${counted(events, 'event')} in ${counted(streams, 'stream')} of ${counted(subjects, 'subject')}; ${undecodable} undecodable, ${counted(gaps, 'gap')}.`,
    ...(coverage.complete
      ? []
      : [
          `INCOMPLETE: ${counted(unreadable, 'line')} could not be read, ${counted(unattributable, 'event')} cannot be told whose they are.`,
        ]),
    ...(happenedBy === undefined ? [] : [`What had happened by ${happenedBy}, told later or not.`]),
    `${projection} ${version}, as of now = ${now}${elapsedMs === undefined ? '' : `, in ${(elapsedMs / 1000).toFixed(1)} s`}. ${digest}`,
  ]
}

/** A scan's exit code: incomplete before findings; findings that are only observed are clean. */
export function exitOfScan({ summary, findings }: Pick<ReplayResult, 'summary' | 'findings'>): ExitCode {
  const needsSomebody = findings.some(({ disposition }) => disposition !== 'observe')
  return exitOfFound({ summary, needsSomebody })
}

/** The same where it is known already whether anything has to be done. */
export function exitOfFound({
  summary,
  needsSomebody,
}: {
  readonly summary: ScanSummary
  readonly needsSomebody: boolean
}): ExitCode {
  if (!summary.coverage.complete) return EXIT.incomplete
  return needsSomebody ? EXIT.findings : EXIT.clean
}
