// docs/booking.md is what a domain expert reads: its tables are those of the code.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { booking } from '../../../projections/booking/booking.js'
import { GUARDS, WAITING_GUARDS } from '../../../projections/booking/guards.js'
import { handlingOf } from '../../../projections/booking/handling.js'
import { rulesOf } from '../../../src/engine/detect.js'

type WithTables = (page: string, parts: object) => string

it('the tables on the page are those of the code (else: npm run build, node scripts/booking-table.mjs)', async () => {
  const script = new URL('../../../scripts/booking-table.mjs', import.meta.url)
  const { withTables } = (await import(script.href)) as { withTables: WithTables }
  const page = readFileSync(new URL('../../../docs/booking.md', import.meta.url), 'utf8')
  expect(withTables(page, { booking, GUARDS, WAITING_GUARDS, handlingOf, rulesOf })).toBe(page)
})
