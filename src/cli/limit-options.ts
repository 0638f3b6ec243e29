// Options that bound a campaign.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { type ApplyOptions, IN_FLIGHT } from '../repair/apply.js'
import type { Limits } from '../repair/gate.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { numberOption } from './number-option.js'
import { parseMoment } from './reading.js'

export interface LimitOptions {
  readonly canary?: number
  readonly max?: number
  readonly maxValue?: readonly string[]
  readonly errorBudget?: number
  readonly freeze?: readonly string[]
  readonly killSwitch?: string
  readonly inFlight?: number
}

/** Items that may fail before a campaign stops, where nothing else is said. */
const ERROR_BUDGET = 10

/** Adds the options. */
export function withLimitOptions(command: Command): Command {
  return command
    .option(
      '--canary <n>',
      'settle this many items first, one by one; stop unless each is good',
      numberOption('--canary'),
    )
    .option('--max <n>', 'take at most this many items in this run', numberOption('--max'))
    .option('--max-value <CUR=minor...>', 'take at most this much money in this run, such as EUR=500000 (minor units)')
    .option(
      '--error-budget <n>',
      `stop once this many items failed (default: ${ERROR_BUDGET})`,
      numberOption('--error-budget', 1),
    )
    .option('--freeze <from/to...>', 'take nothing between two RFC 3339 times')
    .option('--kill-switch <file>', 'take nothing more as soon as this file exists')
    .option(
      '--in-flight <n>',
      `so many subjects are worked at together, each in order (default: ${IN_FLIGHT})`,
      numberOption('--in-flight', 1),
    )
}

/** The limits that the options set. Throws UsageError naming the option. */
export function limitsOf(options: LimitOptions, { clock }: Context): Limits & Pick<ApplyOptions, 'inFlight'> {
  const { canary, max, maxValue, errorBudget = ERROR_BUDGET, freeze = [], killSwitch, inFlight } = options
  const windows = freeze.map((text) => freezeWindow(text, clock()))
  return {
    errorBudget,
    ...(inFlight !== undefined && { inFlight }),
    ...(canary !== undefined && { canary }),
    ...(max !== undefined && { max }),
    ...(maxValue && { maxValue: Object.fromEntries(maxValue.map(valueLimit)) }),
    isFrozen: () => {
      if (killSwitch !== undefined && existsSync(killSwitch)) return `kill switch: ${killSwitch} exists`
      const now = BigInt(clock()) * 10_000n
      const window = windows.find(({ from, to }) => from <= now && now < to)
      return window && `freeze window: ${window.text}`
    },
  }
}

function valueLimit(text: string): [string, number] {
  const match = /^([A-Z]{3})=(\d{1,15})$/.exec(text)
  if (!match) throw new UsageError(`--max-value ${text}: expected a currency and minor units, such as EUR=500000`)
  return [match[1] as string, Number(match[2])]
}

function freezeWindow(text: string, clock: number): { from: bigint; to: bigint; text: string } {
  const [from, to, more] = text.split('/')
  if (!from || !to || more !== undefined) throw new UsageError(`--freeze ${text}: expected FROM/TO, two RFC 3339 times`)
  return { from: parseMoment('--freeze', from, clock), to: parseMoment('--freeze', to, clock), text }
}
