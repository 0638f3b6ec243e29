// The import table of the house, held by a test: who may import whom, no cycle (not even by type), and drivers only where they belong.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** What a room may import beside itself; a path names one file. Composition roots (src/*.ts) may import everything. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  'src/log': [],
  'src/engine': ['src/log'],
  'src/repair': ['src/engine', 'src/log'],
  'src/watch': ['src/engine', 'src/log'],
  'src/snapshots': ['src/engine', 'src/log'],
  'src/transfer': ['src/log'],
  'src/workload': ['src/log'],
  'src/authorities': ['src/repair/authority.ts', 'src/engine/json.ts', 'src/log'],
  'src/simulator': ['src/authorities', 'src/repair/authority.ts', 'src/engine/json.ts', 'src/log'],
  'src/stores': ['src/log'],
  'src/scratch': ['src/engine/scratch.ts'],
  'src/server': ['src/log'],
  'src/cli': ['src/repair', 'src/watch', 'src/snapshots', 'src/engine', 'src/log', 'src/transfer', 'src/workload'],
  projections: ['src/log', 'src/engine/projection.ts', 'src/engine/json.ts'],
}

/** Packages that only one room may know. */
const DRIVERS: Readonly<Record<string, string>> = {
  lmdb: 'src/stores/embedded',
  '@eventstore/db-client': 'src/stores/eventstoredb',
  commander: 'src/cli',
  rxjs: 'src/watch',
  'prom-client': 'src/watch',
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path))
}

const FILES = [...sourceFiles('src'), ...sourceFiles('projections')]

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)].map(
    (match) => (match[1] ?? match[2] ?? match[3]) as string,
  )
}

function localImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(ROOT, resolve(ROOT, dirname(file), name.replace(/\.js$/, '.ts'))))
}

function roomOf(file: string): string | undefined {
  return Object.keys(TABLE).find((room) => file.startsWith(`${room}/`))
}

function breaches(file: string): string[] {
  const room = roomOf(file)
  if (room === undefined) return []
  const allowed = [room, ...(TABLE[room] ?? [])]
  return localImportsOf(file)
    .filter((target) => !allowed.some((place) => target === place || target.startsWith(`${place}/`)))
    .map((target) => `${file} imports ${target}`)
}

function findCycle(): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const target of localImportsOf(file)) {
      const cycle = visit(target, [...path, file])
      if (cycle) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of FILES) {
    const cycle = visit(file, [])
    if (cycle) return cycle
  }
  return undefined
}

describe('the house', () => {
  it('has every file in a room of the table or among the composition roots', () => {
    const strays = FILES.filter((file) => roomOf(file) === undefined && dirname(file) !== 'src')
    expect(strays).toEqual([])
  })

  it('imports only what the table allows', () => {
    expect(FILES.flatMap(breaches)).toEqual([])
  })

  it('has no cycle, not even by type', () => {
    expect(findCycle()).toBeUndefined()
  })

  it.each(Object.entries(DRIVERS))('knows %s only in %s', (driver, room) => {
    const elsewhere = FILES.filter((file) => importsOf(file).includes(driver) && !file.startsWith(`${room}/`))
    expect(elsewhere).toEqual([])
  })

  it('sees the imports it judges', () => {
    expect(localImportsOf('src/engine/fold.ts')).toContain('src/log/stream.ts')
    expect(importsOf('src/stores/embedded/tables.ts')).toContain('lmdb')
  })
})
