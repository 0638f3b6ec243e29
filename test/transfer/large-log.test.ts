// A log much larger than the memory that moving it takes: 100,000 events out into a packed file and back.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import type { ExportCounts } from '../../src/transfer/export-events.js'
import type { ImportedLines } from '../../src/transfer/import-lines.js'

const EVENTS = 100_000
const DATA_BYTES = 2_000

interface Moved {
  readonly exported: ExportCounts
  readonly imported: ImportedLines
  readonly again: ExportCounts
  readonly addedBytesMax: number
}

test('100,000 events are moved in a part of the memory that they would fill', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-large-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const child = join(import.meta.dirname, 'move-large-log.mjs')
  const args = ['--expose-gc', '--max-old-space-size=96', child, folder, String(EVENTS), String(DATA_BYTES)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { exported, imported, again, addedBytesMax } = JSON.parse(stdout) as Moved
  expect(exported).toMatchObject({ events: EVENTS })
  expect(exported.bytes).toBeGreaterThan(EVENTS * DATA_BYTES)
  expect(imported).toEqual({ added: EVENTS, present: 0, gaps: 0 })
  expect(again.digest).toBe(exported.digest)
  expect(addedBytesMax).toBeLessThan(exported.bytes / 2)
}, 180_000)
