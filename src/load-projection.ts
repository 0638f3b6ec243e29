// Composition: built-in projections by name, a user's own by the path of a module.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { booking } from '../projections/booking/booking.js'
import { transactions } from '../projections/transactions/transactions.js'
import { defineProjection, InvalidProjectionError, type Projection } from './engine/projection.js'

const BUILT_IN: ReadonlyMap<string, Projection> = new Map(
  [booking as Projection, transactions as Projection].map((projection) => [projection.name, projection]),
)

/** The projection that is meant on a store where nobody names one. */
const DEFAULT = booking as Projection

/**
 * Loads a projection: a built-in one by name, or the default export of a module by path (`./mine.js`). Throws InvalidProjectionError
 * naming what is wrong with it.
 */
export async function loadProjection(nameOrPath: string | undefined): Promise<Projection> {
  if (nameOrPath === undefined) return DEFAULT
  const known = BUILT_IN.get(nameOrPath)
  if (known) return known
  const loaded = await loadModule(nameOrPath)
  sources.set(loaded, resolve(nameOrPath))
  return loaded
}

const sources = new WeakMap<Projection, string>()

/** By what `loadProjection` gives the same projection in another thread; undefined for one that it did not load. */
export function sourceOf(projection: Projection): string | undefined {
  return BUILT_IN.get(projection.name) === projection ? projection.name : sources.get(projection)
}

async function loadModule(nameOrPath: string): Promise<Projection> {
  if (!/[./\\]/.test(nameOrPath)) {
    throw new InvalidProjectionError(
      `--projection ${nameOrPath}: no such projection; built in: ${[...BUILT_IN.keys()].join(', ')}; or the path of a module, such as ./mine.js`,
    )
  }
  const path = resolve(nameOrPath)
  if (!existsSync(path)) throw new InvalidProjectionError(`--projection ${nameOrPath}: no such file`)
  return checkModule(nameOrPath, await importModule(nameOrPath, path))
}

async function importModule(name: string, path: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (cause) {
    throw new InvalidProjectionError(
      `--projection ${name}: cannot be loaded: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}

function checkModule(name: string, { default: projection }: { default?: unknown }): Projection {
  if (typeof projection !== 'object' || projection === null) {
    throw new InvalidProjectionError(
      `--projection ${name}: its default export is no projection; export default defineProjection({…})`,
    )
  }
  return defineProjection(projection as Projection)
}
