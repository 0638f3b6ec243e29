// The contract on a real EventStoreDB: the one that MAKEGOOD_TEST_STORE names, else one in a container where a Docker engine answers, else none,
// which is said and counted as skipped.
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { afterAll, test } from 'vitest'
import { openEventStoreDbStore } from '../../../src/stores/eventstoredb/eventstoredb-store.js'
import { durableStoreContract, eventStoreContract } from '../../contract/event-store-contract.js'
import type { StoreHarness } from '../../contract/store-harness.js'
import { type ComposeService, eventStoreDbImage, readComposeFile } from './compose-file.js'

const PORT = 2113
const NAME = 'a real EventStoreDB'

/** How long the image may take to come and the node to be up. */
const STARTUP_MS_MAX = 300_000

interface RealStore {
  readonly connectionString: () => string
  readonly restart?: () => Promise<void>
  readonly stop?: () => Promise<unknown>
}

/** A real one, or why there is none. */
async function findRealStore(): Promise<RealStore | string> {
  const named = process.env.MAKEGOOD_TEST_STORE
  if (named !== undefined && named !== '') return { connectionString: () => named }
  try {
    await getContainerRuntimeClient()
  } catch {
    return 'MAKEGOOD_TEST_STORE names none and no Docker engine answers'
  }
  try {
    return storeIn(await startContainer())
  } catch (error) {
    return `its container does not start: ${error instanceof Error ? error.message : error}`
  }
}

function startContainer(): Promise<StartedTestContainer> {
  const { environment = {} } = readComposeFile().services.eventstoredb as ComposeService
  return new GenericContainer(eventStoreDbImage())
    .withEnvironment(environment)
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
    .withStartupTimeout(STARTUP_MS_MAX)
    .start()
}

function storeIn(container: StartedTestContainer): RealStore {
  return {
    connectionString: () =>
      `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false&maxDiscoverAttempts=300`,
    restart: () => container.restart(),
    stop: () => container.stop(),
  }
}

function harnessOf({ connectionString, restart }: RealStore): () => Promise<StoreHarness> {
  const connect = () => openEventStoreDbStore({ connectionString: connectionString() })
  return async () => {
    let store = await connect()
    const reopen = async () => {
      await store.close()
      await restart?.()
      store = await connect()
    }
    return {
      get store() {
        return store
      },
      ...(restart && { reopen }),
      dispose: () => store.close(),
    }
  }
}

const real = await findRealStore()

if (typeof real === 'string') {
  process.stdout.write(`No real EventStoreDB: ${real}. Its contract is skipped.\n`)
  test.skip(`${NAME} keeps the contract (${real})`, () => undefined)
} else {
  afterAll(async () => {
    await real.stop?.()
  })
  eventStoreContract(NAME, harnessOf(real))
  if (real.restart) durableStoreContract(NAME, harnessOf(real))
}
