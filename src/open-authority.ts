// Composition: who does what a plan needs done outside of the log, by the text of `--authority`: the URL of a
// service, or a module that exports an authority.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { boundedAuthority } from './authorities/bounded-authority.js'
import { httpAuthority } from './authorities/http-authority.js'
import { UsageError } from './cli/exit-codes.js'
import type { Authority } from './repair/authority.js'

/** A service by its URL (docs/authority.md), or the default export of a module. Throws UsageError naming what is wrong with it. */
export async function openAuthority(where: string): Promise<Authority> {
  if (/^https?:\/\//.test(where)) return httpAuthority(where)
  const path = resolve(where)
  if (!existsSync(path)) throw new UsageError(`--authority ${where}: no such module`)
  const { default: authority } = (await import(pathToFileURL(path).href)) as { default?: Partial<Authority> }
  if (typeof authority?.lookUp !== 'function' || typeof authority.issue !== 'function') {
    throw new UsageError(`--authority ${where}: its default export needs lookUp and issue`)
  }
  return boundedAuthority({
    name: authority.name ?? where,
    ...(authority.admits && { admits: authority.admits.bind(authority) }),
    lookUp: authority.lookUp.bind(authority),
    issue: authority.issue.bind(authority),
  })
}
