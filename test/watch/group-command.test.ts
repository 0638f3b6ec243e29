// `makegood watch --group` as people and scripts meet it: what it refuses, and what it says of itself.
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/exit-codes.js'
import { groupNameIn, type WatchCommandOptions, withWatchOptions } from '../../src/cli/watch-options.js'
import { openEventStoreDbStore } from '../../src/stores/eventstoredb/eventstoredb-store.js'
import { groupNameOf } from '../../src/watch/group.js'
import { makegood } from '../cli/run-makegood.js'
import { startServe, temporaryFolder } from '../server/serve-process.js'
import { groups } from './grouping.js'
import { pay, WatchProcess } from './watch-process.js'
import { until } from './watching.js'

function optionsOf(args: readonly string[]): WatchCommandOptions {
  return withWatchOptions(new Command()).parse(args, { from: 'user' }).opts<WatchCommandOptions>()
}

describe('makegood watch --group', () => {
  it.each<[string, string[], RegExp]>([
    ['a name with a slash', ['--group', 'a/b'], /--group a\/b: expected small letters/],
    ['no name', ['--group', ''], /--group : expected small letters/],
    ['a name of its own', ['--group', 'ops', '--name', 'x'], /--name and --group: a group has its own name/],
    ['an end', ['--group', 'ops', '--once'], /--once and --group: a group has no end/],
    ['a beginning', ['--group', 'ops', '--from', 'start'], /--from and --group: .*take another --group/],
  ])('refuses %s', (_, args, message) => {
    expect(() => groupNameIn(optionsOf(args))).toThrow(UsageError)
    expect(() => groupNameIn(optionsOf(args))).toThrow(message)
  })

  it('is none where it is not asked for', () => {
    expect(groupNameIn(optionsOf([]))).toBeUndefined()
  })

  it('refuses a folder, and says how to serve it', async () => {
    const folder = temporaryFolder()
    const made = await makegood(['generate', '--bookings', '5', '--seed', '1', '--store', `${folder}/store`])
    expect(made.code).toBe(0)
    const { code, stderr } = await makegood(['watch', '--group', 'ops', '--store', `${folder}/store`])
    expect(stderr).toMatch(
      /--group needs a server, and .*store is none. Serve it: makegood serve --store .*store --insecure/,
    )
    expect(code).toBe(64)
  })

  it('refuses another projection than the group was made for', async () => {
    const server = await startServe(['--store', 'memory:', '--insecure'])
    const args = ['--group', 'ops', '--store', server.connectionString]
    const first = new WatchProcess(args)
    await first.says('"msg":"joined"')
    const { code, stderr } = await makegood(['watch', ...args, '--projection', 'transactions'])
    expect(stderr).toMatch(/Group ops is of projection booking, version .*; this is transactions.*Take another --group/)
    expect(code).toBe(64)
    expect(await first.end('SIGINT')).toBe(130)
  })

  it('tells in metrics what it was given, how the group stands, and that it is ready', async () => {
    const server = await startServe(['--store', 'memory:', '--insecure'])
    const store = await openEventStoreDbStore({ connectionString: server.connectionString })
    const watching = new WatchProcess(['--group', 'ops', '--store', server.connectionString, '--metrics-port', '0'])
    try {
      await watching.says('"msg":"joined"')
      await watching.catchUp()
      await pay(store, 'B1', -1_000)
      await until(
        () => watching.told.length === 1,
        () => watching.stderr,
      )
      const [, url = ''] = /metrics on (http:\S+)\/metrics/.exec(watching.stderr) ?? []
      const metrics = await (await fetch(`${url}/metrics`)).text()
      for (const line of [
        'makegood_group_joined 1',
        'makegood_group_deliveries_total 2',
        'makegood_group_redeliveries_total 0',
        'makegood_group_consumers 1',
        'makegood_group_in_flight_events 0',
        'makegood_group_parked_events 0',
        'makegood_watch_events 2',
      ])
        expect(metrics.split('\n')).toContain(line)
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
      await groups(store).delete(groupNameOf('ops'))
      expect(await watching.ended()).toBe(69)
      expect(watching.stderr).toMatch(/Group "ops" of \$all: .*does not exist/)
    } finally {
      if (!watching.isOver) await watching.end('SIGKILL')
      await store.close()
    }
  })
})
