// What SIGKILL leaves behind: everything that was acknowledged, whole batches only, good checksums, dense revisions.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { eventsOfLog, textOf } from '../../controls/events.js'
import { ended, startChild, testFolder } from './child.js'

test('after each of 50 kills what was acknowledged is there, in whole batches', async () => {
  const [folder, journal] = await placesOfTest()
  for (let i = 0; i < 50; i += 1) {
    await killAppender({ folder, journal, args: [] })
    await expectWhole(folder, journal)
  }
  expect(await checkFolder(folder)).toMatchObject({ problems: [], streams: 5 })
}, 300_000)

test('a kill in the middle of large batches leaves no part of one', async () => {
  const [folder, journal] = await placesOfTest()
  for (let i = 0; i < 8; i += 1) {
    await killAppender({ folder, journal, args: ['4000', '250'] })
    await expectWhole(folder, journal)
  }
  expect(await checkFolder(folder)).toMatchObject({ problems: [] })
}, 300_000)

async function placesOfTest(): Promise<[folder: string, journal: string]> {
  const base = await testFolder()
  return [join(base, 'store'), join(base, 'journal')]
}

/** Lets an appender come to its third acknowledgement and then, at a random moment, kills it. */
async function killAppender(run: { folder: string; journal: string; args: readonly string[] }): Promise<void> {
  const before = linesOf(run.journal).length
  const child = startChild('append-until-killed.mjs', [run.folder, run.journal, ...run.args])
  const end = ended(child)
  while (linesOf(run.journal).length < before + 3 && child.exitCode === null) await sleep(2)
  await sleep(Math.random() * 10)
  child.kill('SIGKILL')
  const { signal, stderr } = await end
  expect([signal, stderr]).toEqual(['SIGKILL', ''])
}

async function expectWhole(folder: string, journal: string): Promise<void> {
  const store = await openEmbeddedStore({ folder, readOnly: true })
  const events = await eventsOfLog(store)
  await store.close()
  const heads = new Map<string, number>()
  for (const { stream, revision } of events) {
    expect(revision).toBe((heads.get(stream) ?? -1) + 1)
    heads.set(stream, revision)
  }
  for (const [stream, revision] of linesOf(journal)) expect(heads.get(stream) ?? -1).toBeGreaterThanOrEqual(revision)
  expectWholeBatches(events)
}

/** Batches stand in the log one after the other, each with all its events in their order. */
function expectWholeBatches(events: readonly RecordedEvent[]): void {
  let [left, index, batch] = [0, 0, '']
  for (const event of events) {
    const body = JSON.parse(textOf(event)) as { batch: string; size: number; index: number }
    if (left === 0) [left, index, batch] = [body.size, 0, body.batch]
    expect([body.batch, body.index]).toEqual([batch, index])
    left -= 1
    index += 1
  }
  expect(left).toBe(0)
}

/** What the journal says was acknowledged; a last line that was cut off by the kill is no acknowledgement. */
function linesOf(journal: string): (readonly [stream: string, revision: number])[] {
  if (!existsSync(journal)) return []
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [stream = '', revision] = line.split(' ')
    return [stream, Number(revision)] as const
  })
}
