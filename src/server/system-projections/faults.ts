// Why a projection stops by itself and stays stopped until somebody enables it again: going on would lose links or double them. The words
// for a person stand in its status, as on a real server.

export class ProjectionFaultError extends Error {
  override readonly name = 'ProjectionFaultError'
}

export function targetDeleted(target: string): ProjectionFaultError {
  return new ProjectionFaultError(`Stream : ${target} is deleted. Cannot emit events to it`)
}

export function writtenFromOutside(target: string, id: number): ProjectionFaultError {
  return new ProjectionFaultError(
    `The '${target}' stream managed by projection ${id} has been written to from the outside.`,
  )
}

export function writtenByAnother(target: string, ids: { own: number; other: number }): ProjectionFaultError {
  return new ProjectionFaultError(
    `Multiple projections emitting to the same stream detected.  Stream: '${target}'. Last event projection: '${ids.other}'.  Emitting projection: '${ids.own}'`,
  )
}

/** A log that was imported brings links along; where their events are gone nobody can tell how far they went. */
export function ofAnotherLog(target: string): ProjectionFaultError {
  return new ProjectionFaultError(
    `The last event of '${target}' is for an event that is not in this log. Reset the projection to have its streams written anew.`,
  )
}

export function targetRefused(target: string, why: string): ProjectionFaultError {
  return new ProjectionFaultError(`Cannot emit events to '${target}': ${why}`)
}
