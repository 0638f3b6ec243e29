// `makegood/server`: an EventStoreDB for other people's tests, in their own process: on a free port, in memory or in a folder, without Docker.
import { type ServerOptions, startServer as startServerOver } from './server/start-server.js'
import { openEmbeddedStore } from './stores/embedded/embedded-store.js'
import { openMemoryStore } from './stores/memory/memory-store.js'

export type { NewUser } from './server/access/user-directory.js'
export { CertificateError, type TlsOptions } from './server/transport/certificates.js'
export { PortUnavailableError } from './server/transport/listener.js'

export interface StartServerOptions extends Omit<ServerOptions, 'store' | 'onShutdown'> {
  /** Where events are kept, durably: they are there again at the next start. Default: in memory, gone with the server. */
  readonly folder?: string
}

export interface StartedServer {
  readonly port: number
  /** For EventStoreDBClient.connectionString and the like; with TLS add user and password, or `tlsCAFile`. */
  readonly connectionString: string
  /** Resolves when it has stopped, also where a client stopped it by Operations.Shutdown. */
  readonly stopped: Promise<void>
  /** Lets calls under way end, closes the port and the store. A second call waits for the first. */
  stop(): Promise<void>
  /** `await using server = await startServer()` */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a server. It answers as EventStoreDB 24.6 does; what it does not support it refuses by name (docs/server.md). Throws
 * PortUnavailableError, CertificateError, and an error of one line where the folder cannot be used.
 */
export async function startServer({ folder, ...options }: StartServerOptions = {}): Promise<StartedServer> {
  const { maxAppendBytes } = options
  const limits = maxAppendBytes === undefined ? {} : { maxAppendBytes }
  const store = folder === undefined ? openMemoryStore(limits) : await openEmbeddedStore({ folder, ...limits })
  try {
    let hasStopped: () => void = () => undefined
    const stopped = new Promise<void>((resolve) => {
      hasStopped = resolve
    })
    let stopping: Promise<void> | undefined
    const stop = () => {
      stopping ??= server
        .stop()
        .then(() => store.close())
        .finally(hasStopped)
      return stopping
    }
    const onShutdown = () => void stop().catch((error: unknown) => options.onInternalError?.(error))
    const server = await startServerOver({ ...options, store, onShutdown })
    const { port, connectionString } = server
    return { port, connectionString, stopped, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await store.close()
    throw error
  }
}
