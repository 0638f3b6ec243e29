// Composition: who does what a plan needs done outside of the log, by the text of `--authority`: a module that exports an authority.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './cli/exit-codes.js'
import type { Authority } from './repair/authority.js'

/** Loads the authority that a module exports as its default. Throws UsageError naming what is wrong with it. */
export async function openAuthority(where: string): Promise<Authority> {
  const path = resolve(where)
  if (!existsSync(path)) throw new UsageError(`--authority ${where}: no such module`)
  const { default: authority } = (await import(pathToFileURL(path).href)) as { default?: Partial<Authority> }
  if (typeof authority?.lookUp !== 'function' || typeof authority.issue !== 'function') {
    throw new UsageError(`--authority ${where}: its default export needs lookUp and issue`)
  }
  return {
    name: authority.name ?? where,
    lookUp: authority.lookUp.bind(authority),
    issue: authority.issue.bind(authority),
  }
}
