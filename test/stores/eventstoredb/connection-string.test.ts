// Connection strings: what they mean, and that nothing of a secret is ever repeated.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StoreAddressError } from '../../../src/log/store-errors.js'
import {
  isConnectionString,
  parseConnectionString,
  redactConnectionString,
} from '../../../src/stores/eventstoredb/connection-string.js'

/** Whatever is said of a string with this in it must not hold it. */
const SECRET = 'c4nary-pa55'

describe('a connection string', () => {
  test('with nothing but a host has the defaults of EventStoreDB', () => {
    expect(parseConnectionString('esdb://localhost')).toEqual({
      hosts: [{ host: 'localhost', port: 2113 }],
      discover: false,
      credentials: undefined,
      tls: true,
      tlsCaFile: undefined,
      userCertFile: undefined,
      userKeyFile: undefined,
      connectionName: undefined,
      nodePreference: 'leader',
      maxDiscoverAttempts: 10,
      discoveryIntervalMs: 100,
      gossipTimeoutMs: 5000,
      deadlineMs: 10_000,
      keepAliveIntervalMs: 10_000,
      keepAliveTimeoutMs: 10_000,
    })
  })

  test.each([
    [
      'esdb://a:1,b:2,[::1]:3,d',
      [
        ['a', 1],
        ['b', 2],
        ['::1', 3],
        ['d', 2113],
      ],
      false,
    ],
    ['esdb+discover://cluster.example:2114/', [['cluster.example', 2114]], true],
    ['kurrentdb://a:1?tls=false', [['a', 1]], false],
    ['KurrentDB+Discover://a:1', [['a', 1]], true],
    ['  esdb://a:1/?tls=false  ', [['a', 1]], false],
  ])('%s names its hosts', (text, hosts, discover) => {
    const parsed = parseConnectionString(text)
    expect(parsed.hosts.map(({ host, port }) => [host, port])).toEqual(hosts)
    expect(parsed.discover).toBe(discover)
  })

  test.each([
    ['user:pass', 'user', 'pass'],
    ['user:p:w:x', 'user', 'p:w:x'],
    ['user:p@w', 'user', 'p@w'],
    ['us%40er:p%40w%25', 'us@er', 'p@w%'],
    ['user:', 'user', ''],
  ])('with %s@ has the whole of user and password', (given, username, password) => {
    expect(parseConnectionString(`esdb://${given}@host:2113`)).toMatchObject({
      credentials: { username, password },
      hosts: [{ host: 'host', port: 2113 }],
    })
  })

  test('has options in any spelling of their names', () => {
    const text =
      'esdb://a?TLS=true&tls-ca-file=%2Fetc%2Fca.pem&user_cert_file=c&userKeyFile=k&connectionName=me%20too' +
      '&NodePreference=read_only_replica&maxDiscoverAttempts=3&discoveryInterval=0&gossipTimeout=2' +
      '&defaultDeadline=777&keepAliveInterval=-1&keepAliveTimeout=20000&throwOnAppendFailure=false&tlsVerifyCert=true'
    expect(parseConnectionString(text)).toMatchObject({
      tls: true,
      tlsCaFile: '/etc/ca.pem',
      userCertFile: 'c',
      userKeyFile: 'k',
      connectionName: 'me too',
      nodePreference: 'readOnlyReplica',
      maxDiscoverAttempts: 3,
      discoveryIntervalMs: 0,
      gossipTimeoutMs: 2000,
      deadlineMs: 777,
      keepAliveIntervalMs: -1,
      keepAliveTimeoutMs: 20_000,
    })
  })

  test.each([
    ['tlss=true', '"tlss"'],
    [`x${SECRET}=1`.replace('-', '&'), 'unknown option'],
    ['tls=maybe', 'tls: expected true or false'],
    ['tlsVerifyCert=false', 'tlsCAFile'],
    ['nodePreference=nearest', 'nodePreference: expected one of leader'],
    ['defaultDeadline=soon', 'defaultDeadline: expected a whole number from 1'],
    ['keepAliveInterval=-2', 'keepAliveInterval: expected a whole number from -1'],
    ['userCertFile=a', 'given together'],
    ['tls=false', 'only sent over TLS'],
    ['connectionName=%', 'connectionName is not percent-encoded'],
  ])('with the option %s is refused, naming it and not the string', (option, words) => {
    const refusal = refusalOf(`esdb://admin:${SECRET}@some-host?${option}`)
    expect(refusal.message).toContain(words)
    expect(refusal.message).not.toContain('some-host')
  })

  test.each([
    ['esdb://'],
    [`esdb://admin:${SECRET}@`],
    [`esdb://admin:${SECRET}@host:port`],
    [`esdb://admin:${SECRET}@host:0`],
    [`esdb://admin:${SECRET}@host:99999`],
    [`esdb://admin:${SECRET}@a,,b`],
    [`esdb://admin:${SECRET}%zz@host`],
    [`esdb://${SECRET}@host`],
    [`esdb://us%3Aer:${SECRET}@host`],
    [`http://admin:${SECRET}@host`],
    [`esdb://admin:${SECRET}/x@y/z`],
    [`esdb://host?tls=false&tlsCAFile=x`],
  ])('%s is refused', (text) => {
    expect(refusalOf(text)).toBeInstanceOf(StoreAddressError)
  })

  test.each([
    [`esdb://admin:${SECRET}@a:1,b:2?tls=true`, 'esdb://***@a:1,b:2'],
    [`kurrentdb+discover://admin:${SECRET}@x@a:1/?connectionName=${SECRET}`, 'kurrentdb+discover://***@a:1'],
    ['esdb://a:1?tls=false', 'esdb://a:1'],
    [`nonsense ${SECRET}`, '(no connection string)'],
  ])('%s is printed without its secrets', (text, printed) => {
    expect(redactConnectionString(text)).toBe(printed)
  })

  test('has the options that the documentation names', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../../docs/eventstoredb.md'), 'utf8')
    const cells = [...page.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell ?? '')
    const names = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name))
    expect(names).toHaveLength(12)
    for (const name of names) {
      const said = sayOf(() => parseConnectionString(`esdb://h?${name}=x`))
      expect(said).not.toContain('unknown option')
    }
  })

  test('is told from a folder', () => {
    const texts = ['esdb://a', 'esdb+discover://a', 'kurrentdb://a', './esdb', 'memory:', 'C:\\esdb', 'http://a']
    expect(texts.map(isConnectionString)).toEqual([true, true, true, false, false, false, false])
  })
})

function sayOf(act: () => unknown): string {
  try {
    act()
    return ''
  } catch (error) {
    return String(error)
  }
}

function refusalOf(text: string): Error {
  try {
    parseConnectionString(text)
  } catch (error) {
    expect(String(error)).not.toContain(SECRET)
    expect(String(error instanceof Error ? error.stack : '')).not.toContain(SECRET)
    return error as Error
  }
  throw new Error('It was taken')
}
