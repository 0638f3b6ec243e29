// Several threads: what they find is what one finds, byte for byte, in memory and from scratch space; what goes wrong in one is told.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { seedFor } from '../controls/seed.js'
import { makegood, newFolder, type Ran } from './run-makegood.js'

/** What was found, without how long it took. */
const told = ({ stdout }: Ran) => stdout.replace(/"elapsedMs":\d+/, '')

const built = (path: string) => pathToFileURL(resolve('dist', path)).href

/** Changes a byte of each place in a file where a text stands. */
function damageEach(file: string, text: string): void {
  const bytes = readFileSync(file)
  let count = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    bytes[at + 1] = (bytes[at + 1] as number) ^ 1
    count += 1
  }
  expect(count).toBeGreaterThan(0)
  writeFileSync(file, bytes)
}

describe('a scan on several threads', () => {
  const folder = newFolder()
  const store = join(folder, 'store')
  // More than threads are worth starting for.
  beforeAll(async () => {
    const seed = ['--seed', String(seedFor('workers'))]
    const { code } = await makegood([
      'generate',
      '--bookings',
      '10000',
      ...seed,
      '--store',
      store,
      '--scenario',
      'mixed',
    ])
    expect(code).toBe(0)
  })
  const scanOf = (where: string, ...options: string[]) =>
    makegood(['scan', '--store', where, '--format', 'ndjson', ...options])
  const scan = (...options: string[]) => scanOf(store, ...options)

  it('finds what one finds, in its order', async () => {
    const alone = await scan('--workers', '1')
    expect(alone.code).toBe(2)
    for (const options of [[], ['--workers', '2'], ['--workers', '5'], ['--workers', '3', '--memory', '64mb']]) {
      expect(told(await scan(...options))).toBe(told(alone))
    }
  })

  it('finds it by a module of the user as well', async () => {
    const module = join(folder, 'mine.mjs')
    writeFileSync(
      module,
      `import { booking } from '${built('projections/booking/booking.js')}'
      export default { ...booking }\n`,
    )
    const options = ['--projection', module]
    expect(told(await scan('--workers', '2', ...options))).toBe(told(await scan('--workers', '1', ...options)))
  })

  it('tells what a rule threw in another thread, and ends', async () => {
    const module = join(folder, 'broken.mjs')
    writeFileSync(
      module,
      `import { isMainThread } from 'node:worker_threads'
      import { booking } from '${built('projections/booking/booking.js')}'
      const [first, ...others] = booking.rules
      const broken = { ...first, each: () => { if (!isMainThread) throw new Error('a rule that breaks') ; return [] } }
      export default { ...booking, rules: [broken, ...others] }\n`,
    )
    const ran = await scan('--workers', '2', '--projection', module)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('a rule that breaks')
    expect((await scan('--workers', '1', '--projection', module)).code).toBe(2)
  })

  it('tells of a thread that ends while it should read', async () => {
    const module = join(folder, 'gone.mjs')
    writeFileSync(
      module,
      `import { isMainThread } from 'node:worker_threads'
      import { booking } from '${built('projections/booking/booking.js')}'
      if (!isMainThread) process.exit()
      export default { ...booking }\n`,
    )
    const ran = await scan('--workers', '2', '--projection', module)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('ended before its work was done')
  })

  it('refuses a damaged event with the same words and code, whichever thread reads it', async () => {
    const { stdout } = await makegood(['export', '--store', store, '--out', '-'])
    const lines = stdout.trim().split('\n')
    for (const share of [0.1, 0.6]) {
      const damaged = join(folder, `damaged-${share}`)
      cpSync(store, damaged, { recursive: true })
      const data = JSON.stringify(JSON.parse(lines[Math.floor(lines.length * share)] as string).data)
      damageEach(join(damaged, 'data.mdb'), data)
      const [alone, beside] = [await scanOf(damaged, '--workers', '1'), await scanOf(damaged, '--workers', '2')]
      expect(alone.stderr).toContain('fails its checksum')
      expect(beside).toEqual(alone)
    }
  })

  it('tells of a thread that ends', async () => {
    const module = join(folder, 'ending.mjs')
    writeFileSync(
      module,
      `import { isMainThread } from 'node:worker_threads'
      import { booking } from '${built('projections/booking/booking.js')}'
      const [first, ...others] = booking.rules
      const ending = { ...first, each: () => { if (!isMainThread) process.exit() ; return [] } }
      export default { ...booking, rules: [ending, ...others] }\n`,
    )
    const ran = await scan('--workers', '2', '--projection', module)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('ended before its work was done')
  })

  it('wants a number of threads that a machine can have', async () => {
    const none = await scan('--workers', '0')
    expect(none.code).toBe(64)
    expect(none.stderr).toContain('--workers 0: expected a whole number from 1 on')
    const many = await scan('--workers', '100000')
    expect(many.code).toBe(64)
    expect(many.stderr).toContain('--workers 100000: at most 256')
  })
})
