// The options of `watch`, and what they mean.
import { type Command, Option } from 'commander'
import type { OutagePolicy } from '../watch/outages.js'
import { AUTHORITY_FLAGS, AUTHORITY_HELP } from './authority-option.js'
import { durationOption, parseDuration } from './duration-option.js'
import { UsageError } from './exit-codes.js'
import { type LookupOptions, withLookupOption } from './lookup-option.js'
import { numberOption } from './number-option.js'
import { type StoreOptions, withStoreOptions } from './reading.js'

export interface WatchCommandOptions extends StoreOptions, LookupOptions {
  readonly lookupAge: number
  readonly consumerCheckpoint?: string
  readonly projection?: string
  readonly name?: string
  readonly group?: string
  readonly from: string
  readonly now?: string
  readonly once?: boolean
  readonly outage: OutagePolicy
  readonly lagAlarm: number
  readonly remind: number
  readonly checkpointEvery: number
  readonly lease: number
  readonly webhook?: string
  readonly repair?: string
  readonly authority?: string
  readonly metricsPort?: number
  readonly metricsHost: string
}

/** Adds the options. */
export function withWatchOptions(command: Command): Command {
  return withLookupOption(withStoreOptions(command))
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option('--name <name>', "of the watch: its checkpoint and its alerts bear it (default: the projection's)")
    .option('--group <name>', 'share the work with other processes that name the same group; needs a server')
    .option('--from <where>', 'checkpoint: go on from it; start: read the whole log again', 'checkpoint')
    .option('--now <time>', 'what rules take for the present when it begins; time goes on from there')
    .option('--once', 'end as soon as the end of the log is reached')
    .addOption(
      parsed('--outage <n/time>', 'more findings of one rule in that time are one outage', outageOption, '20/10m'),
    )
    .addOption(lasting('--lag-alarm', 'own lag that is an alarm', '5m'))
    .option(
      '--consumer-checkpoint <stream>',
      'tell of what is owed only once the consumer that delivers has come to it, by this stream',
    )
    .addOption(lasting('--remind', 'how often open alerts are told of again', '1h'))
    .addOption(lasting('--checkpoint-every', 'how often it saves', '5s'))
    .addOption(lasting('--lease', 'after so much silence another process takes over', '15s'))
    .option('--repair <policy>', 'repair what this policy file allows, through the same protocol as apply')
    .option(AUTHORITY_FLAGS, AUTHORITY_HELP)
    .addOption(lasting('--lookup-age', 'an answer of a lookup counts for so long', '5m'))
    .option('--webhook <url>', 'where alerts are posted to')
    .option('--metrics-port <port>', 'serve /metrics and /health on this port (0: any free one)', portOption)
    .option('--metrics-host <address>', 'what to serve them on', '127.0.0.1')
}

/** An option whose default is shown as a person would write it. */
function parsed(flags: string, description: string, parse: (text: string) => unknown, defaultText: string): Option {
  return new Option(flags, description).argParser(parse).default(parse(defaultText), defaultText)
}

function lasting(option: string, description: string, defaultText: string): Option {
  return parsed(`${option} <time>`, description, durationOption(option), defaultText)
}

/** The name of the watch. Throws UsageError. */
export function nameOf({ name }: WatchCommandOptions, projection: string): string {
  return name === undefined ? projection : nameIn('--name', name)
}

/** The group that it is to be one of; undefined where it watches alone. Throws UsageError, also where other options do not go with a group. */
export function groupNameIn({ group, name, once, from, lookup }: WatchCommandOptions): string | undefined {
  if (group === undefined) return undefined
  if (name !== undefined) throw new UsageError('--name and --group: a group has its own name; leave --name out')
  if (once) throw new UsageError('--once and --group: a group has no end that one of its processes could see')
  if (from !== 'checkpoint') throw new UsageError('--from and --group: to read the log again, take another --group')
  if (lookup) throw new UsageError('--lookup and --group: a group goes by the log alone')
  return nameIn('--group', group)
}

function nameIn(option: string, name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) return name
  throw new UsageError(`${option} ${name}: expected small letters, digits and dashes`)
}

/** Whether the log is read again from its start. Throws UsageError. */
export function isFromStart({ from }: WatchCommandOptions): boolean {
  if (from !== 'start' && from !== 'checkpoint') throw new UsageError(`--from ${from}: expected start or checkpoint`)
  return from === 'start'
}

/** Where alerts are posted to. Throws UsageError. */
export function webhookUrl({ webhook }: WatchCommandOptions): URL | undefined {
  if (webhook === undefined) return undefined
  const url = URL.canParse(webhook) ? new URL(webhook) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new UsageError('--webhook: expected a URL that begins with https:// or http://')
}

function outageOption(text: string): OutagePolicy {
  const [, findings = '', time = ''] = /^(\d{1,9})\/(\w+)$/.exec(text) ?? []
  const windowMs = parseDuration(time)
  if (windowMs === undefined) throw new UsageError(`--outage ${text}: expected findings and a time, such as 20/10m`)
  return { findingsMax: Number(findings), windowMs }
}

function portOption(text: string): number {
  const port = numberOption('--metrics-port')(text)
  if (port <= 65_535) return port
  throw new UsageError(`--metrics-port ${text}: expected a number up to 65535`)
}
