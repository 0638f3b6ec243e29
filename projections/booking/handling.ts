// What may be done about an inconsistency, in the words of the people who handle it.
import type { Disposition, RuleHead } from '../../src/engine/projection.js'

/** `never, person`: no ticket may be issued while it is true, and somebody has to look at it. */
export type Handling = Disposition | 'never, person' | 'stop the campaign, person'

const COMPOSED: Partial<Record<Handling, Pick<RuleHead, 'disposition' | 'opensCase' | 'stopsCampaign'>>> = {
  'never, person': { disposition: 'never', opensCase: true },
  'stop the campaign, person': { disposition: 'never', opensCase: true, stopsCampaign: true },
}

/** The head of a row of the table. */
export function head(id: string, severity: RuleHead['severity'], handling: Handling, title: string): RuleHead {
  return { id, severity, title, ...(COMPOSED[handling] ?? { disposition: handling as Disposition }) }
}

/** The inverse: how a rule is handled. */
export function handlingOf({ disposition, opensCase, stopsCampaign }: RuleHead): Handling {
  if (stopsCampaign) return 'stop the campaign, person'
  return disposition === 'never' && opensCase ? 'never, person' : disposition
}
