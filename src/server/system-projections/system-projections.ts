// The system projections of a server: all five, for as long as it serves.
import { CODE, StatusError } from '../status.js'
import { SYSTEM_PROJECTIONS } from './definitions.js'
import { ManagedProjection } from './managed-projection.js'
import type { ProjectionSurroundings } from './running-projection.js'

export class SystemProjections {
  readonly #surroundings: ProjectionSurroundings
  readonly #projections: readonly ManagedProjection[]

  private constructor(surroundings: ProjectionSurroundings, projections: readonly ManagedProjection[]) {
    this.#surroundings = surroundings
    this.#projections = projections
  }

  static async open(surroundings: ProjectionSurroundings): Promise<SystemProjections> {
    const projections = SYSTEM_PROJECTIONS.map((one) => ManagedProjection.open(one, surroundings))
    return new SystemProjections(surroundings, await Promise.all(projections))
  }

  /** In the order of their names. */
  get all(): readonly ManagedProjection[] {
    return this.#projections
  }

  /** Throws the status of one that there is not. */
  get(name: string): ManagedProjection {
    const found = this.#projections.find((projection) => projection.name === name)
    if (!found) throw projectionNotFound(name)
    return found
  }

  async restart(): Promise<void> {
    await Promise.all(this.#projections.map((projection) => projection.restart()))
  }

  /** Finishes what is being written and leaves checkpoints behind. */
  async stop(): Promise<void> {
    const stopped = await Promise.allSettled(this.#projections.map((projection) => projection.stop()))
    for (const result of stopped) if (result.status === 'rejected') this.#surroundings.onError(result.reason)
  }
}

function projectionNotFound(name: string): StatusError {
  return new StatusError(CODE.notFound, `Projection '${name}' not found`)
}
