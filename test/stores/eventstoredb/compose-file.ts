// What docker-compose.yml says: the one place where the image of EventStoreDB is named.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const FILE = resolve(import.meta.dirname, '../../../docker-compose.yml')

const SERVICE = z.object({
  image: z.string(),
  profiles: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  command: z.string().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  networks: z.record(z.string(), z.object({ ipv4_address: z.string() })).optional(),
})

const COMPOSE = z.object({
  services: z.record(z.string(), SERVICE),
  volumes: z.record(z.string(), z.null()),
  networks: z.record(z.string(), z.unknown()),
})

export type ComposeFile = z.infer<typeof COMPOSE>
export type ComposeService = z.infer<typeof SERVICE>

/** The file with its anchors resolved. Throws where it is no YAML or not of the shape that is used here. */
export function readComposeFile(): ComposeFile {
  return COMPOSE.parse(parse(readFileSync(FILE, 'utf8'), { merge: true }))
}

/** The image of the one insecure node. */
export function eventStoreDbImage(): string {
  const { image } = readComposeFile().services.eventstoredb as ComposeService
  return image
}
