// `cases` and `campaigns`: what waits for a person and why; what was done, by whom and on whose word.
import type { Command } from 'commander'
import { type CampaignRecord, listCampaigns, readCampaign } from '../../repair/campaign.js'
import { listCases, type ReviewCase } from '../../repair/cases.js'
import { CampaignUnknownError } from '../../repair/verify.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { counted, formatOf, type Layout, makePrinter, type Printer } from '../output.js'
import { type StoreOptions, storeOf, withStoreOptions } from '../reading.js'

interface CasesOptions extends StoreOptions {
  readonly rule?: readonly string[]
  readonly subject?: readonly string[]
}

/** Adds both commands. */
export function addRecords(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withStoreOptions(program.command('cases'))
    .description('what waits for a person, and why')
    .option('--rule <id...>', 'cases of these rules only')
    .option('--subject <id...>', 'cases on these subjects only')
    .addHelpText('after', '\nExamples:\n  $ makegood cases\n  $ makegood cases --rule dispute --format csv')
    .action((options: CasesOptions) => run(showCases(options, context)))
  withStoreOptions(program.command('campaigns [id]'))
    .description('what was repaired, by whom, on whose approval; with an id: item by item')
    .addHelpText('after', '\nExamples:\n  $ makegood campaigns\n  $ makegood campaigns 3b0c… --format ndjson')
    .action((id: string | undefined, options: StoreOptions) => run(showCampaigns(id, options, context)))
}

function printerOf(options: StoreOptions, { stdout }: Context, layout: Layout): Printer {
  return makePrinter(formatOf(options.format, stdout.isTerminal), layout, (text) => stdout.write(text))
}

async function showCases(options: CasesOptions, context: Context): Promise<ExitCode> {
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const cases = (await listCases(store)).filter(
      ({ rule, subject }) => (options.rule?.includes(rule) ?? true) && (options.subject?.includes(subject) ?? true),
    )
    const printer = printerOf(options, context, CASES_LAYOUT)
    for (const review of cases) printer.row({ type: 'case', ...review })
    printer.finish({ type: 'summary', cases: cases.length, rules: countByRule(cases) })
    return EXIT.clean
  } finally {
    await store.close()
  }
}

function countByRule(cases: readonly ReviewCase[]): Record<string, { cases: number; why: string }> {
  const rules: Record<string, { cases: number; why: string }> = {}
  for (const { rule, why } of cases) rules[rule] = { cases: (rules[rule]?.cases ?? 0) + 1, why }
  return rules
}

const CASES_LAYOUT: Layout = {
  list: 'cases',
  columns: [
    { head: 'severity', of: (row) => row.severity },
    { head: 'rule', of: (row) => row.rule },
    { head: 'subject', of: (row) => row.subject },
    { head: 'since', of: (row) => row.since },
    { head: 'why', of: (row) => row.why },
  ],
  describe: ({ cases }) => [`${counted(cases as number, 'case')} for a person.`],
}

async function showCampaigns(id: string | undefined, options: StoreOptions, context: Context): Promise<ExitCode> {
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    if (id === undefined) {
      const campaigns = await listCampaigns(store)
      const printer = printerOf(options, context, CAMPAIGNS_LAYOUT)
      for (const campaign of campaigns) printer.row(campaignRow(campaign))
      printer.finish({ type: 'summary', campaigns: campaigns.length })
      return EXIT.clean
    }
    const campaign = await readCampaign(store, id)
    if (!campaign.start)
      throw new CampaignUnknownError(`No campaign ${id} in this store; \`makegood campaigns\` lists them`)
    const printer = printerOf(options, context, ITEMS_LAYOUT)
    for (const item of campaign.items.values()) printer.row({ type: 'item', ...item })
    printer.finish({ ...campaignRow(campaign), type: 'summary' })
    return EXIT.clean
  } finally {
    await store.close()
  }
}

function campaignRow({ id, start, items, finished, stopped }: CampaignRecord) {
  const outcomes: Record<string, number> = {}
  for (const { outcome } of items.values()) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  const status = finished ? 'complete' : stopped === undefined ? 'not complete' : `stopped: ${stopped}`
  return { type: 'campaign', id, status, ...start, outcomes }
}

const CAMPAIGNS_LAYOUT: Layout = {
  list: 'campaigns',
  columns: [
    { head: 'campaign', of: (row) => row.id },
    { head: 'status', of: (row) => row.status },
    { head: 'items', of: (row) => row.items },
    { head: 'outcomes', of: (row) => row.outcomes },
    { head: 'by', of: (row) => row.actor },
    { head: 'approved by', of: (row) => row.approver },
    { head: 'rules', of: (row) => `${row.projection} ${row.version}` },
  ],
  describe: ({ campaigns }) => [`${counted(campaigns as number, 'campaign')}.`],
}

const ITEMS_LAYOUT: Layout = {
  list: 'items',
  columns: [
    { head: 'outcome', of: (row) => row.outcome },
    { head: 'stream', of: (row) => row.stream },
    { head: 'revision', of: (row) => row.revision },
    { head: 'rules', of: (row) => (row.rules as string[]).join(', ') },
    { head: 'why', of: (row) => row.why },
  ],
  describe: ({ id, status, actor, approver, planDigest }) => [
    `Campaign ${id}: ${status}; run by ${actor}, approved by ${approver}, plan ${planDigest}.`,
  ],
}
