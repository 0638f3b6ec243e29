// Scratch space: what is written is read back in order, and nothing is left whatever happens.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { ScratchError } from '../../src/engine/scratch.js'
import { folderScratch } from '../../src/scratch/folder-scratch.js'
import { seedFor } from '../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-scratch-'))
afterAll(() => rmSync(folder, { recursive: true }))
const MODULE = resolve(import.meta.dirname, '../../dist/src/scratch/folder-scratch.js')

describe('a run of scratch space', () => {
  it('gives back every record, of any length, in order, as often as it is asked', () => {
    const aRecord = fc
      .tuple(fc.oneof(fc.nat(40), fc.integer({ min: 65_000, max: 200_000 })), fc.nat(255))
      .map(([length, byte]) => Buffer.alloc(length, byte))
    fc.assert(
      fc.property(fc.array(aRecord, { maxLength: 20 }), fc.array(aRecord, { maxLength: 3 }), (first, second) => {
        const scratch = folderScratch(folder)
        const run = scratch.newRun()
        for (const record of first) run.write(record)
        const told = [...run.read()]
        expect(
          told.length === first.length &&
            first.every((record, index) => record.equals(told[index] ?? record.subarray(1))),
        ).toBe(true)
        for (const record of second) run.write(record)
        expect([...run.read()].map(({ length }) => length)).toEqual([...first, ...second].map(({ length }) => length))
        scratch.close()
      }),
      { seed: seedFor('scratch'), numRuns: 60 },
    )
  })

  it('is gone when the process is killed', () => {
    const script = `import { folderScratch } from ${JSON.stringify(MODULE)}
      const run = folderScratch(process.argv[1]).newRun()
      for (let n = 0; n < 100; n += 1) run.write(new Uint8Array(10_000))
      process.kill(process.pid, 'SIGKILL')`
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script, folder])
    expect(signal).toBe('SIGKILL')
    expect(readdirSync(folder)).toEqual([])
  })

  it('that is full says so, and what to do', () => {
    const script = `import { folderScratch } from ${JSON.stringify(MODULE)}
      const run = folderScratch(process.argv[1]).newRun()
      try { for (let n = 0; n < 1000; n += 1) run.write(new Uint8Array(10_000)) } catch (error) { process.stdout.write(error.name + ': ' + error.message) }`
    const told = execFileSync('/bin/sh', [
      ...['-c', 'ulimit -f 64; trap "" XFSZ; exec "$@"', 'sh', process.execPath],
      ...['--input-type=module', '-e', script, folder],
    ])
    expect(told.toString()).toMatch(/^ScratchError: Scratch space in .*: .*--scratch/)
  })

  it('needs a folder that is there', () => {
    const scratch = folderScratch(join(folder, 'nowhere'))
    expect(() => scratch.newRun()).toThrow(ScratchError)
  })
})
