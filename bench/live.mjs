// Watching live in figures: from deadline to alert while 2,000 events a second are written, in a folder and through `serve`, with a webhook
// that hangs and without; and catching up with a long log beside a plain replay of it.
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { measureAlerts } from './live-alerts.mjs'
import { measureCatchUp } from './live-catch-up.mjs'
import { startServing } from './serving.mjs'

const PER_SECOND = 2_000
const SECONDS = 60
const SHORT_SECONDS = 5

export async function bench({ folder, main, runs, short }) {
  const hanging = await openHangingWebhook()
  const webhook = `http://127.0.0.1:${hanging.address().port}/`
  try {
    const alerts = await measureAllAlerts({ folder, main, webhook, seconds: short ? SHORT_SECONDS : SECONDS })
    const caughtUp = await measureCatchUp({ folder, main, runs, short, webhook })
    return resultOf(alerts, caughtUp)
  } finally {
    hanging.closeAllConnections()
    hanging.close()
  }
}

async function openHangingWebhook() {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function measureAllAlerts({ folder, main, webhook, seconds }) {
  const load = { main, perSecond: PER_SECOND, seconds }
  const rows = []
  for (const [what, hung] of [
    ['', undefined],
    [', a webhook that hangs', webhook],
  ]) {
    const name = hung ? 'hung' : 'plain'
    const [direct, behind] = [join(folder, `live-${name}`), join(folder, `live-served-${name}`)]
    for (const store of [direct, behind]) rmSync(store, { recursive: true, force: true })
    rows.push({ what: `folder${what}`, ...(await measureAlerts({ ...load, where: direct, run: name, webhook: hung })) })
    const { where, stop } = await startServing(main, behind)
    const served = measureAlerts({ ...load, where, run: name, webhook: hung }).finally(stop)
    rows.push({ what: `\`serve\`${what}`, ...(await served) })
  }
  return rows
}

function resultOf(alerts, { events, rows }) {
  // A watch has one thread: it is held against a replay that has no more.
  const [replay, , ...watches] = rows
  const ratios = watches.map(({ outputMs }) => (replay.outputMs / outputMs).toFixed(2)).join(' and ')
  return {
    about: `${PER_SECOND.toLocaleString('en')} events a second for ${Math.round(alerts[0].ms / 1000)} s, written by another process, a grace of 2 s, one order in fifty not sent: from its deadline to the alert's line on standard output. Goal: p99 below 50 ms.`,
    table: [
      '| store | alerts | p50 | p95 | p99 | longest | the watch on the processor |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...alerts.map(alertRow),
      '',
      `Catching up with ${events.toLocaleString('en')} events, from the start of the process to the last alert, which is written then. Goal: 0.8 of the speed of a replay.`,
      '',
      '| what ran | median | on the processor | peak memory |',
      '| --- | --- | --- | --- |',
      ...rows.map(timeRow),
    ],
    notes: [`Of the speed of the replay on one thread: ${ratios}.`],
  }
}

function alertRow({ what, delays, cpuMs, ms }) {
  const times = [0.5, 0.95, 0.99, 1].map((share) => `${delays[Math.ceil(share * delays.length) - 1]} ms`)
  return `| ${what} | ${delays.length} | ${times.join(' | ')} | ${((100 * cpuMs) / ms).toFixed(0)} % of one |`
}

function timeRow({ what, outputMs, cpuMs, peakBytes }) {
  return `| ${what} | ${(outputMs / 1000).toFixed(2)} s | ${(cpuMs / 1000).toFixed(2)} s | ${(peakBytes / 1e6).toFixed(0)} MB |`
}
