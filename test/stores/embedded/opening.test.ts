// Processes that come and go while others append: what was acknowledged to those stays.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { checkFolder } from '../../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { eventsOfLog } from '../../controls/events.js'
import { ended, startChild, testFolder } from './child.js'

const SECONDS = 4

test('while others open and close the store, no acknowledged append is lost', async () => {
  const base = await testFolder()
  const [folder, journal] = [join(base, 'store'), join(base, 'journal')]
  const appender = startChild('append-until-killed.mjs', [folder, journal])
  const end = ended(appender)
  while (!existsSync(journal) || readFileSync(journal).length === 0) await sleep(5)
  const openers = [1, 2, 3].map(() => startChild('open-and-close.mjs', [folder]))
  await sleep(SECONDS * 1000)
  const isAlive = appender.exitCode === null
  for (const child of [...openers, appender]) child.kill('SIGKILL')
  expect([isAlive, (await end).stderr]).toEqual([true, ''])
  const store = await openEmbeddedStore({ folder, readOnly: true })
  const heads = new Map((await eventsOfLog(store)).map(({ stream, revision }) => [stream, revision]))
  await store.close()
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1)
  const lost = lines.filter((line) => {
    const [stream = '', revision] = line.split(' ')
    return (heads.get(stream) ?? -1) < Number(revision)
  })
  expect({ lost, isMany: lines.length > 20 }).toEqual({ lost: [], isMany: true })
  expect((await checkFolder(folder)).problems).toEqual([])
}, 120_000)
