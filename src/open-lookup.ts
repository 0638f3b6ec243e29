// Composition: who answers a lookup, by the text behind `--lookup NAME=`: the URL of a service, or a file of JSON lines.
import { existsSync } from 'node:fs'
import { httpAuthority } from './authorities/http-authority.js'
import { type Lookup, lookupAt } from './authorities/lookup.js'
import { lookupFile } from './authorities/lookup-file.js'
import { UsageError } from './cli/exit-codes.js'

/** A service (docs/authority.md, `/lookup`) or a file. Throws UsageError where there is no such file. */
export function openLookup(where: string): Lookup {
  if (/^https?:\/\//.test(where)) return lookupAt(httpAuthority(where))
  if (!existsSync(where)) throw new UsageError(`--lookup: no such file: ${where}`)
  return lookupFile(where)
}
