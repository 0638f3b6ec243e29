// The connection string: `esdb://user:password@host:2113,host2:2113?tls=true&…`, as EventStoreDB's clients take it. It is read here and never
// handed on: the client prints it, password included, where it finds something in it that it does not know.
import { StoreAddressError } from '../../log/store-errors.js'
import type { Endpoint } from './endpoint.js'

export type NodePreference = 'leader' | 'follower' | 'readOnlyReplica' | 'random'

/** What a connection string says, with defaults filled in. */
export interface ConnectionSettings {
  /** The one node; or, with `discover` or more than one, those that are asked who leads. */
  readonly hosts: readonly Endpoint[]
  readonly discover: boolean
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  readonly tls: boolean
  /** Files in PEM. */
  readonly tlsCaFile: string | undefined
  readonly userCertFile: string | undefined
  readonly userKeyFile: string | undefined
  readonly connectionName: string | undefined
  /** For bulk reading; whatever decides is asked of the leader. */
  readonly nodePreference: NodePreference
  readonly maxDiscoverAttempts: number
  readonly discoveryIntervalMs: number
  readonly gossipTimeoutMs: number
  readonly deadlineMs: number
  /** -1: no pings. */
  readonly keepAliveIntervalMs: number
  readonly keepAliveTimeoutMs: number
}

const SCHEME = /^(?:esdb|kurrentdb)(\+discover)?:\/\//i
const DEFAULT_PORT = 2113

const PREFERENCES: readonly NodePreference[] = ['leader', 'follower', 'readOnlyReplica', 'random']

/** Options by their name in lower case without dashes and underscores, in which clients do not tell them apart either. */
const OPTIONS = [
  'tls',
  'tlsCAFile',
  'tlsVerifyCert',
  'userCertFile',
  'userKeyFile',
  'connectionName',
  'nodePreference',
  'maxDiscoverAttempts',
  'discoveryInterval',
  'gossipTimeout',
  'defaultDeadline',
  'keepAliveInterval',
  'keepAliveTimeout',
  'throwOnAppendFailure',
] as const
type OptionName = (typeof OPTIONS)[number]
const OPTION_BY_FLAT_NAME: ReadonlyMap<string, OptionName> = new Map(OPTIONS.map((name) => [flat(name), name]))

/** Whether a text is a connection string at all. */
export function isConnectionString(text: string): boolean {
  return SCHEME.test(text)
}

/** The string without user, password and options: for logs and messages. */
export function redactConnectionString(text: string): string {
  const scheme = SCHEME.exec(text)?.[0]
  if (scheme === undefined) return '(no connection string)'
  const { hosts, hasCredentials } = partsOf(text.slice(scheme.length))
  return `${scheme}${hasCredentials ? '***@' : ''}${hosts}`
}

/** Throws StoreAddressError. */
export function parseConnectionString(text: string): ConnectionSettings {
  const scheme = SCHEME.exec(text.trim())
  if (!scheme) throw new StoreAddressError('A connection string begins with esdb://, esdb+discover:// or kurrentdb://')
  const { credentials, hosts, query } = partsOf(text.trim().slice(scheme[0].length))
  const settings = settingsOf(optionsIn(query))
  const parsed = {
    ...settings,
    hosts: hosts.split(',').map(hostIn),
    discover: scheme[1] !== undefined,
    credentials: credentials === undefined ? undefined : credentialsIn(credentials),
  }
  mustFit(parsed)
  return parsed
}

function partsOf(rest: string): {
  credentials: string | undefined
  hasCredentials: boolean
  hosts: string
  query: string
} {
  const queryAt = rest.indexOf('?')
  const query = queryAt < 0 ? '' : rest.slice(queryAt + 1)
  const authority = (queryAt < 0 ? rest : rest.slice(0, queryAt)).replace(/\/+$/, '')
  // The last one: an @ that somebody left as it is belongs to the password.
  const at = authority.lastIndexOf('@')
  const credentials = at < 0 ? undefined : authority.slice(0, at)
  return { credentials, hasCredentials: at >= 0, hosts: authority.slice(at + 1), query }
}

function credentialsIn(text: string): { username: string; password: string } {
  const colon = text.indexOf(':')
  if (colon <= 0) throw new StoreAddressError('Credentials are given as user:password@ before the host')
  const username = decoded(text.slice(0, colon), 'The user name')
  // It is sent as `user:password`, where the first colon ends the name.
  if (username.includes(':')) throw new StoreAddressError('A user name cannot hold a colon')
  return {
    username,
    password: decoded(text.slice(colon + 1), 'The password'),
  }
}

function hostIn(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? DEFAULT_PORT)
  if (host === undefined || port < 1 || port > 65_535) {
    // Not repeated: what stands there may be half of a password.
    throw new StoreAddressError('After the credentials stand hosts, host:port,host:port; one of them is none')
  }
  return { host, port }
}

function optionsIn(query: string): ReadonlyMap<OptionName, string> {
  const options = new Map<OptionName, string>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const given = equals < 0 ? pair : pair.slice(0, equals)
    const name = OPTION_BY_FLAT_NAME.get(flat(given))
    if (!name) throw new StoreAddressError(`The connection string has an unknown option: ${printable(given)}`)
    options.set(name, equals < 0 ? '' : decoded(pair.slice(equals + 1).trim(), name))
  }
  return options
}

type Options = ReadonlyMap<OptionName, string>

function settingsOf(options: Options): Omit<ConnectionSettings, 'hosts' | 'discover' | 'credentials'> {
  if (!booleanIn(options, 'tlsVerifyCert', true)) {
    throw new StoreAddressError(
      'tlsVerifyCert=false is not supported: name the authority of the certificate with tlsCAFile',
    )
  }
  booleanIn(options, 'throwOnAppendFailure', true)
  return {
    tls: booleanIn(options, 'tls', true),
    tlsCaFile: options.get('tlsCAFile'),
    userCertFile: options.get('userCertFile'),
    userKeyFile: options.get('userKeyFile'),
    connectionName: options.get('connectionName'),
    nodePreference: preferenceIn(options),
    maxDiscoverAttempts: Math.max(1, integerIn(options, 'maxDiscoverAttempts', 10)),
    discoveryIntervalMs: integerIn(options, 'discoveryInterval', 100),
    // Clients count this one in seconds.
    gossipTimeoutMs: 1000 * integerIn(options, 'gossipTimeout', 5),
    deadlineMs: integerIn(options, 'defaultDeadline', 10_000),
    keepAliveIntervalMs: integerIn(options, 'keepAliveInterval', 10_000),
    keepAliveTimeoutMs: integerIn(options, 'keepAliveTimeout', 10_000),
  }
}

function preferenceIn(options: Options): NodePreference {
  const given = options.get('nodePreference')
  if (given === undefined) return 'leader'
  const preference = PREFERENCES.find((known) => flat(known) === flat(given))
  if (!preference) throw new StoreAddressError(`nodePreference: expected one of ${PREFERENCES.join(', ')}`)
  return preference
}

function booleanIn(options: Options, name: OptionName, otherwise: boolean): boolean {
  const given = options.get(name)
  if (given === undefined) return otherwise
  if (given !== 'true' && given !== 'false') throw new StoreAddressError(`${name}: expected true or false`)
  return given === 'true'
}

function integerIn(options: Options, name: OptionName, otherwise: number): number {
  const given = options.get(name)
  if (given === undefined) return otherwise
  const lowest = name.startsWith('keepAlive') ? -1 : name === 'discoveryInterval' ? 0 : 1
  const value = /^-?\d{1,9}$/.test(given) ? Number(given) : Number.NaN
  if (!(value >= lowest)) throw new StoreAddressError(`${name}: expected a whole number from ${lowest}`)
  return value
}

function mustFit({ tls, credentials, tlsCaFile, userCertFile, userKeyFile }: ConnectionSettings): void {
  if (!tls && credentials) {
    throw new StoreAddressError(
      'User and password are only sent over TLS: take tls=false or the credentials out of the connection string',
    )
  }
  if (!tls && (tlsCaFile ?? userCertFile ?? userKeyFile) !== undefined) {
    throw new StoreAddressError('tls=false and certificate files do not go together')
  }
  if ((userCertFile === undefined) !== (userKeyFile === undefined)) {
    throw new StoreAddressError('userCertFile and userKeyFile are given together')
  }
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new StoreAddressError(`${what} is not percent-encoded well: write % as %25`)
  }
}

/** A name as somebody typed it, cut where it could be anything else than a name. */
function printable(name: string): string {
  return JSON.stringify((/^[\w.-]{1,40}/.exec(name)?.[0] ?? '').toString())
}

function flat(name: string): string {
  return name.trim().toLowerCase().replace(/[_-]/g, '')
}
