// What the methods of the Users service have in common: a server with users, and who may manage them.
import { isAdmin, type Principal } from '../access/principal.js'
import type { UserDirectory } from '../access/user-directory.js'
import type { ServerContext } from '../server-context.js'
import { accessDenied, handlerFailed, unimplemented } from '../status.js'

/** The server's users. Throws the status where it has none. */
export function usersOf({ users }: ServerContext): UserDirectory {
  // A real server without TLS never answers.
  if (!users) throw unimplemented('Users are kept only by a server with TLS')
  return users
}

/** The users of a server, for an administrator. Throws the status of anybody else. */
export function managedBy(principal: Principal, server: ServerContext): UserDirectory {
  const users = usersOf(server)
  if (!isAdmin(principal)) throw accessDenied()
  return users
}

/** Throws the status of options that were left out. */
export function required<Options>(options: Options | undefined): Options {
  if (options === undefined) throw handlerFailed()
  return options
}
