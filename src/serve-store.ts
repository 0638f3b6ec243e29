// Composition: `serve`: a store of this machine behind EventStoreDB's protocol, opened with it and closed after it.
import type { Logger } from 'pino'
import type { ServeOptions, Serving } from './cli/context.js'
import { PortTakenError, UsageError } from './cli/exit-codes.js'
import { CertificateError, PortUnavailableError, startServer } from './server-entry.js'

/** Serves a store until it is stopped. Throws UsageError, StoreUnavailableError and PortTakenError. */
export async function serveStore(options: ServeOptions, logger: Logger): Promise<Serving> {
  const { store, tls, ...settings } = options
  try {
    return await startServer({
      ...settings,
      ...(tls && { tls }),
      ...(store !== 'memory:' && { folder: store }),
      onInternalError: (err) => logger.error({ err }, 'a call failed'),
    })
  } catch (error) {
    if (error instanceof CertificateError) throw new UsageError(error.message, { cause: error })
    if (error instanceof PortUnavailableError) throw new PortTakenError(error.message, { cause: error })
    throw error
  }
}
