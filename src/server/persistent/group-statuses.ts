// How calls about groups end where they cannot be answered, in the words and trailers of EventStoreDB 24.6.
import { CODE, StatusError } from '../status.js'
import type { GroupName } from './group-definition.js'

export function groupExists(name: GroupName): StatusError {
  const details = `Subscription group ${name.group} on stream ${name.source} exists.`
  return new StatusError(CODE.alreadyExists, details, trailersOf('persistent-subscription-exists', name))
}

export function groupMissing(name: GroupName): StatusError {
  const details = `Subscription group ${name.group} on stream ${name.source} does not exist.`
  return new StatusError(CODE.notFound, details, trailersOf('persistent-subscription-does-not-exist', name))
}

/** The group cannot be as it is asked for. */
export function groupFailed(name: GroupName, reason: string): StatusError {
  const details = `Subscription group ${name.group} on stream ${name.source} failed: '${reason}'`
  return new StatusError(CODE.internal, details, { ...trailersOf('persistent-subscription-failed', name), reason })
}

/** The group was deleted, changed or stopped under a consumer. */
export function groupDropped(name: GroupName): StatusError {
  const details = `Subscription group ${name.group} on stream ${name.source} was dropped.`
  return new StatusError(CODE.cancelled, details, trailersOf('persistent-subscription-dropped', name))
}

export function maximumSubscribersReached(name: GroupName): StatusError {
  const details = `Maximum subscriptions reached for subscription group ${name.group} on stream ${name.source}.`
  return new StatusError(CODE.failedPrecondition, details, trailersOf('maximum-subscribers-reached', name))
}

function trailersOf(exception: string, { source, group }: GroupName): Record<string, string> {
  return { exception, 'stream-name': source, ...(group !== '' && { 'group-name': group }) }
}
