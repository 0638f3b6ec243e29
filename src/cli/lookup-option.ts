// `--lookup NAME=WHERE`: who outside of the log is asked about every subject while it is read.
import type { Command } from 'commander'
import type { JsonValue } from '../engine/json.js'
import type { LookUp } from '../engine/judge-part.js'
import type { Projection } from '../engine/projection.js'
import type { Context } from './context.js'
import { LookupFailedError, UsageError } from './exit-codes.js'

export interface LookupOptions {
  readonly lookup?: readonly string[]
}

/** Adds the option. */
export function withLookupOption(command: Command): Command {
  return command.option('--lookup <name=where...>', 'ask others about every subject: a URL, or a file of JSON lines')
}

/** The names that are given, for a plan to hold. */
export function lookupNamesOf({ lookup = [] }: LookupOptions): string[] {
  return lookup.map((text) => text.split('=', 1)[0] as string)
}

/** A plan may rest on what others said: whoever applies it must ask them as well. Throws UsageError. */
export function requireLookups(options: LookupOptions, planned: readonly string[] = []): void {
  const given = lookupNamesOf(options)
  const missing = planned.filter((name) => !given.includes(name))
  if (missing.length > 0)
    throw new UsageError(
      `The plan was made with --lookup ${missing.join(', ')}: apply it with the same, such as --lookup ${missing[0]}=WHERE`,
    )
}

/** Asks all that are named; undefined where nobody is. Throws UsageError for a name that the projection has not. */
export function lookUpOf({ lookup = [] }: LookupOptions, projection: Projection, context: Context): LookUp | undefined {
  if (lookup.length === 0) return undefined
  const { lookups = {} } = projection
  const asked = lookup.map((text) => {
    const [, name = '', where = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    const question = Object.hasOwn(lookups, name) ? lookups[name] : undefined
    if (!question) {
      const known = Object.keys(lookups).join(', ') || 'none'
      throw new UsageError(`--lookup ${text}: expected NAME=WHERE; ${projection.name} has these names: ${known}`)
    }
    return { name, question, at: context.openLookup(where) }
  })
  return async (subject) => {
    const answers = asked.map(
      async ({ name, question, at }): Promise<[string, JsonValue]> => [
        name,
        await at.ask(question(subject)).catch((cause: Error) => {
          throw new LookupFailedError(`--lookup ${name}: ${cause.message}`, { cause })
        }),
      ],
    )
    return Object.fromEntries(await Promise.all(answers))
  }
}
