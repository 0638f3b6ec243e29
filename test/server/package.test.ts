// `makegood/server` as its users have it: from a packed tarball, in vitest and jest by the examples of docs/server.md, with types.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer } from '../../src/server-entry.js'
import { temporaryFolder } from './serve-process.js'
import { collect, connect } from './served.js'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/server.md'), 'utf8')

/** The example under a heading. */
function exampleUnder(heading: string): string {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`)
  const example = /```\w+\n([\s\S]*?)```/.exec(section)?.[1]
  if (example === undefined) throw new Error(`There is no example under ${heading}`)
  return example
}

/** A folder in which the packed package is installed. */
const project = mkdtempSync(join(tmpdir(), 'makegood-package-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

beforeAll(() => {
  const modules = join(project, 'node_modules')
  mkdirSync(join(modules, 'makegood'), { recursive: true })
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((name) => !name.startsWith('.')))
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  // What the build left is packed as it is.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
    cwd: ROOT,
  })
  const tarball = join(project, packed.toString().trim())
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'makegood')])
})

describe('the packed package', () => {
  it.each([
    ['In vitest', 'order.test.ts', []],
    // Jest's own interface, which vitest has too.
    ['In jest', 'jest.test.js', ['--globals']],
  ])('runs the example "%s"', (heading, file, options) => {
    writeFileSync(join(project, file), exampleUnder(heading))
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
    const ran = spawnSync(process.execPath, [vitest, 'run', '--root', project, ...options, file], { encoding: 'utf8' })
    expect(ran.stdout + ran.stderr).toMatch(/Tests .*1 passed/)
  })

  it('has types', () => {
    writeFileSync(join(project, 'typed.ts'), TYPED)
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node']
    const ran = spawnSync(process.execPath, [tsc, ...options, 'typed.ts'], { cwd: project, encoding: 'utf8' })
    expect(ran.stdout).toBe('')
  })
})

const TYPED = `
import { PortUnavailableError, startServer, type StartedServer, type StartServerOptions } from 'makegood/server'
const options: StartServerOptions = { folder: 'x', port: 0, users: [{ login: 'a', password: 'b' }] }
export const server: StartedServer = await startServer(options)
export const port: number = server.port
await server.stop()
// @ts-expect-error A number, not a text.
await startServer({ port: '1' }).catch((error) => error instanceof PortUnavailableError)
`

describe('startServer', () => {
  it('starts any number of servers, each on a port of its own with events of its own', async () => {
    const servers = await Promise.all([startServer(), startServer(), startServer()])
    expect(new Set(servers.map(({ port }) => port)).size).toBe(3)
    const [first, second] = servers.map(({ connectionString }) => connect(connectionString))
    await first?.appendToStream('own', jsonEvent({ type: 'Owned', data: {} }))
    await expect(collect((second as EventStoreDBClient).readStream('own'))).rejects.toMatchObject({
      type: 'stream-not-found',
    })
    await Promise.all(servers.map((server) => server.stop()))
  })

  it('finds in its folder what an earlier one kept there', async () => {
    const folder = join(temporaryFolder(), 'store')
    const first = await startServer({ folder })
    await connect(first.connectionString).appendToStream('kept', jsonEvent({ type: 'Kept', data: {} }))
    await first.stop()
    const second = await startServer({ folder })
    expect(await collect(connect(second.connectionString).readStream('kept'))).toHaveLength(1)
    await second.stop()
  })

  it('frees its port when it stops, and may be told to twice', async () => {
    const first = await startServer()
    await Promise.all([first.stop(), first.stop()])
    const second = await startServer({ port: first.port })
    expect(second.port).toBe(first.port)
    await second.stop()
  })

  it('says so when its port is taken, and lets go of its folder', async () => {
    const folder = join(temporaryFolder(), 'store')
    const first = await startServer()
    await expect(startServer({ folder, port: first.port })).rejects.toMatchObject({ name: 'PortUnavailableError' })
    await first.stop()
    await (await startServer({ folder })).stop()
  })
})
