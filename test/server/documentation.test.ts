// docs/server.md says what is true: its tables against the methods and the declared departures, its examples by running them.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import monitoring from '@eventstore/db-client/generated/monitoring_grpc_pb.js'
import operations from '@eventstore/db-client/generated/operations_grpc_pb.js'
import groups from '@eventstore/db-client/generated/persistent_grpc_pb.js'
import projections from '@eventstore/db-client/generated/projections_grpc_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js'
import users from '@eventstore/db-client/generated/users_grpc_pb.js'
import { describe, expect, it } from 'vitest'
import { Methods } from '../../src/server/methods.js'
import { EMBEDDED_DEPARTURES, INSECURE_DEPARTURES, SECURE_DEPARTURES } from './departures.js'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/server.md'), 'utf8')

/** All methods that the client knows: `/package.Service/Method`. */
const PATHS = [gossip, monitoring, operations, groups, projections, features, streams, users]
  .flatMap((module) => Object.entries(module))
  .filter(([name]) => name.endsWith('Service'))
  .flatMap(([, service]) => Object.values(service as Record<string, { path: string }>))
  .map(({ path }) => path)

/** The cells of the rows of the table under a heading. */
function rowsUnder(heading: string): string[][] {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`)
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** What stands between backticks. */
function codeIn(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}

describe('the table of methods', () => {
  const documented = new Map(rowsUnder('What is supported').map(([rpc, supported]) => [codeIn(rpc)[0], supported]))
  const nameOf = (path: string) => path.replace(/^.*\.(\w+)\/(\w+)$/, '$1.$2')

  it.each(PATHS)('tells whether %s is supported', (path) => {
    const name = nameOf(path)
    const told = documented.get(name) ?? documented.get(name.replace(/\..*/, '.*'))
    expect(told).toBe(isSupported(path) ? 'yes' : 'no')
  })

  it('names no method that there is not', () => {
    const names = PATHS.map(nameOf)
    const known = new Set([...names, ...names.map((name) => name.replace(/\..*/, '.*'))])
    expect([...documented.keys()].filter((name) => !known.has(name ?? ''))).toEqual([])
  })
})

function isSupported(path: string): boolean {
  try {
    new Methods({ secure: true, projections: true }).get(path)
    return true
  } catch {
    return false
  }
}

describe('the table of differences', () => {
  const patterns = rowsUnder('How it differs').flatMap(([cases]) => codeIn(cases))
  const departing = [...INSECURE_DEPARTURES, ...SECURE_DEPARTURES, ...EMBEDDED_DEPARTURES].map((one) => one.case)
  const covers = (pattern: string, name: string) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern

  it('holds every declared departure', () => {
    expect(departing.filter((name) => !patterns.some((pattern) => covers(pattern, name)))).toEqual([])
  })

  it('holds no other', () => {
    expect(patterns.filter((pattern) => !departing.some((name) => covers(pattern, name)))).toEqual([])
  })
})
