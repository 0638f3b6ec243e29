// The first connection: from what a connection string says to a cluster with a node that has answered.
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreAddressError } from '../../log/store-errors.js'
import { Cluster } from './cluster.js'
import type { ConnectionSettings } from './connection-string.js'
import { isTransient } from './errors.js'
import { Node, type NodeOptions } from './node.js'
import { CallError, CODE } from './wire/call-error.js'
import type { TlsFiles } from './wire/session.js'
import { WriteClient } from './write-client.js'

const CONNECT_TIMEOUT_MS = 5_000

/**
 * Finds the node that leads and hears from it. Throws StoreAddressError where a file that is named cannot be read, CallError where nobody answers
 * or we are turned away.
 */
export async function connect(settings: ConnectionSettings): Promise<Cluster> {
  const cluster = clusterOf(settings, await readTlsFiles(settings))
  try {
    await meet(cluster, settings)
    return cluster
  } catch (error) {
    cluster.close()
    throw error
  }
}

function clusterOf(settings: ConnectionSettings, tls: TlsFiles | undefined): Cluster {
  const { hosts, discover, nodePreference, gossipTimeoutMs, keepAliveIntervalMs, keepAliveTimeoutMs } = settings
  const connectTimeoutMs = CONNECT_TIMEOUT_MS
  const nodeOptions: NodeOptions = {
    tls,
    connectTimeoutMs,
    keepAliveIntervalMs,
    keepAliveTimeoutMs,
    gossipTimeoutMs,
    headers: headersOf(settings),
    makeWriter: (endpoint) => new WriteClient(endpoint, { ...settings, connectTimeoutMs, tls }),
  }
  const makeNode = (endpoint: Node['endpoint']) => new Node(endpoint, nodeOptions)
  return new Cluster({ hosts, gossips: discover || hosts.length > 1, nodePreference, makeNode })
}

function headersOf({ credentials, connectionName }: ConnectionSettings): Record<string, string> {
  const headers = { 'connection-name': encodeURIComponent(connectionName ?? `makegood-${randomUUID()}`) }
  if (!credentials) return headers
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  return { ...headers, authorization: `Basic ${basic}` }
}

async function readTlsFiles(settings: ConnectionSettings): Promise<TlsFiles | undefined> {
  if (!settings.tls) return undefined
  const { tlsCaFile, userCertFile, userKeyFile } = settings
  const certificate = (pem: Buffer) => new X509Certificate(pem)
  return {
    ...(tlsCaFile !== undefined && { ca: await readPem('tlsCAFile', tlsCaFile, certificate) }),
    ...(userCertFile !== undefined && { cert: await readPem('userCertFile', userCertFile, certificate) }),
    ...(userKeyFile !== undefined && { key: await readPem('userKeyFile', userKeyFile, createPrivateKey) }),
  }
}

/** Looked at here, since a CA file that holds no certificate would only be told as a server nobody trusts. */
async function readPem(option: string, file: string, look: (pem: Buffer) => unknown): Promise<Buffer> {
  try {
    const pem = await readFile(file)
    look(pem)
    return pem
  } catch (cause) {
    throw new StoreAddressError(`${option}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

/** A server that is starting up is given a moment; one that turns us away is not asked again. */
async function meet(cluster: Cluster, { maxDiscoverAttempts, discoveryIntervalMs }: ConnectionSettings): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    let node: Node | undefined
    try {
      node = await cluster.node('deciding')
      await node.members().catch(ignoreUnimplemented)
      return
    } catch (error) {
      if (!(error instanceof CallError) || !isTransient(error) || attempt >= maxDiscoverAttempts) throw error
      if (node) cluster.failed(node, error)
    }
    await sleep(discoveryIntervalMs * (0.5 + Math.random()))
  }
}

/** Gossip is only asked to see whether somebody is there; a server that has none is there. */
function ignoreUnimplemented(error: unknown): void {
  if (!(error instanceof CallError && error.code === CODE.unimplemented)) throw error
}
