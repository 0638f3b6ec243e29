// What servers say of groups, into the words of the port.
import { type GroupName, GroupRefusedError } from '../../log/consumer-group.js'
import { CallError, CODE } from './wire/call-error.js'

const REASONS: Readonly<Record<string, GroupRefusedError['reason']>> = {
  'persistent-subscription-does-not-exist': 'missing',
  'maximum-subscribers-reached': 'full',
  'access-denied': 'denied',
  'persistent-subscription-failed': 'failed',
}

/** Undefined where the failure is not about the group. */
export function groupRefusalIn(error: unknown, name: GroupName): GroupRefusedError | undefined {
  if (!(error instanceof CallError)) return undefined
  const reason = REASONS[error.type ?? ''] ?? (error.code === CODE.permissionDenied ? 'denied' : undefined)
  if (reason === undefined) return undefined
  return new GroupRefusedError(name, reason, error.trailers.reason ?? error.message, { cause: error })
}

/** The server has let the consumer go: the group was changed or deleted, or the server stops. Asking again tells which. */
export function isDropped({ type }: CallError): boolean {
  return type === 'persistent-subscription-dropped'
}

/** A consumer that died is counted until its server notices: a place may come free. */
export function isFull({ type }: CallError): boolean {
  return type === 'maximum-subscribers-reached'
}
