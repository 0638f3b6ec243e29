// What the methods of the Projections service have in common: whose projections they are, and who may look at them and change them.
import type { Principal } from '../access/principal.js'
import { mustBeOperator, mustBeUser } from '../persistent/group-access.js'
import type { ServerContext } from '../server-context.js'
import { handlerFailed, unimplemented } from '../status.js'
import type { ManagedProjection } from './managed-projection.js'
import type { SystemProjections } from './system-projections.js'

/** For whoever may look. Throws the status of a server without projections and of a caller that is nobody. */
export function projectionsFor(principal: Principal, server: ServerContext): SystemProjections {
  mustBeUser(principal, server)
  if (server.projections) return server.projections
  throw unimplemented('This server runs no projections: start it with --system-projections')
}

/** For whoever may change them. */
export function projectionsManagedBy(principal: Principal, server: ServerContext): SystemProjections {
  mustBeOperator(principal, server)
  return projectionsFor(principal, server)
}

/** The projection that a request names. Throws the status of a request that names none that there is. */
export function named(projections: SystemProjections, options: { getName(): string } | undefined): ManagedProjection {
  if (!options) throw handlerFailed()
  return projections.get(options.getName())
}
