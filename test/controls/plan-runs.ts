// Runs of a plan in tests: what is true of every run, whatever it was for, is looked at here.
import { expect } from 'vitest'
import type { ApplyOptions, ApplySummary } from '../../src/repair/apply.js'
import type { Plan } from '../../src/repair/plan.js'
import type { ApplyingProcess } from './applying-process.js'

/** Applies a plan and expects that every item is told once, with the counts adding up. */
export async function applyCounted(
  process: ApplyingProcess,
  plan: Plan,
  options: Partial<ApplyOptions> = {},
): Promise<ApplySummary> {
  const summary = await process.apply(plan, options)
  expectCounted(process, plan, summary)
  return summary
}

/** Every item has one outcome or is left, and the summary counts what was told. */
export function expectCounted({ outcomes }: ApplyingProcess, plan: Plan, summary: ApplySummary): void {
  const told = outcomes.map(({ kind }) => kind)
  const counted = Object.entries(summary.outcomes).flatMap(([kind, count]) => Array<string>(count).fill(kind))
  expect(told.toSorted()).toEqual(counted.toSorted())
  expect(new Set(outcomes.map(({ item }) => item.key)).size).toBe(outcomes.length)
  expect(counted.length + summary.left).toBe(plan.items.length)
  expect(summary.items).toBe(plan.items.length)
}
