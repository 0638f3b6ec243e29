// docker-compose.yml hangs together: one image, health checks, volumes and addresses that are declared, certificates for every node.
import { describe, expect, test } from 'vitest'
import { type ComposeService, eventStoreDbImage, readComposeFile } from './compose-file.js'

const { services, volumes, networks } = readComposeFile()
const nodes = Object.entries(services).filter(([, { profiles, ports }]) => profiles?.includes('cluster') && ports)
const single = services.eventstoredb as ComposeService
const certificates = services['cluster-certs'] as ComposeService

describe('docker-compose.yml', () => {
  test('starts one insecure node by itself, on this machine only', () => {
    const started = Object.entries(services).filter(([, { profiles }]) => profiles === undefined)
    expect(started.map(([name]) => name)).toEqual(['eventstoredb'])
    expect(single.environment).toMatchObject({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_CLUSTER_SIZE: '1' })
    expect(single.ports).toEqual(['127.0.0.1:2113:2113'])
    expect(single.volumes?.some((volume) => volume.endsWith(':/var/lib/eventstore'))).toBe(true)
  })

  test('has three nodes in the profile cluster, of the same image, each with its own address, port, data and certificate', () => {
    expect(nodes).toHaveLength(3)
    expect(new Set(nodes.map(([, { image }]) => image))).toEqual(new Set([eventStoreDbImage()]))
    const own = (get: (service: ComposeService) => unknown) => new Set(nodes.map(([, service]) => get(service))).size
    expect(own(({ networks: each }) => each?.cluster?.ipv4_address)).toBe(3)
    expect(own(({ ports }) => ports?.[0])).toBe(3)
    expect(own(({ volumes: each }) => each?.find((volume) => volume.endsWith('/var/lib/eventstore')))).toBe(3)
    expect(own(({ environment }) => environment?.EVENTSTORE_CERTIFICATE_FILE)).toBe(3)
  })

  test.each(nodes)(
    '%s advertises what it publishes, seeds from the others and has a certificate for its address',
    (_name, node) => {
      const { environment = {}, ports = [] } = node
      const address = node.networks?.cluster?.ipv4_address ?? 'none'
      const others = nodes
        .map(([, other]) => other.networks?.cluster?.ipv4_address)
        .filter((other) => other !== address)
      expect(ports).toEqual([`${environment.EVENTSTORE_ADVERTISE_NODE_PORT_TO_CLIENT_AS}:2113`])
      expect(environment.EVENTSTORE_REPLICATION_IP).toBe(address)
      expect(environment.EVENTSTORE_GOSSIP_SEED).toBe(others.map((other) => `${other}:2113`).join(','))
      expect(environment.EVENTSTORE_CLUSTER_SIZE).toBe('3')
      const folder = /certs\/(node\d)\/node\.crt$/.exec(environment.EVENTSTORE_CERTIFICATE_FILE ?? '')?.[1]
      expect(certificates.command).toMatch(
        new RegExp(`-out \\./${folder} -ip-addresses 127\\.0\\.0\\.1,${address} -dns-names localhost`),
      )
      expect(node.depends_on).toEqual({ 'cluster-certs': { condition: 'service_completed_successfully' } })
    },
  )

  test('looks at the health of every node, and uses only volumes and networks that it declares', () => {
    for (const { healthcheck } of [single, ...nodes.map(([, node]) => node)]) {
      expect(healthcheck?.test.join(' ')).toContain('/health/live')
    }
    const used = Object.values(services).flatMap((service) => service.volumes ?? [])
    expect(new Set(used.map((volume) => volume.split(':')[0]))).toEqual(new Set(Object.keys(volumes)))
    const named = Object.values(services).flatMap((service) => Object.keys(service.networks ?? {}))
    expect(new Set(named)).toEqual(new Set(Object.keys(networks)))
  })
})
