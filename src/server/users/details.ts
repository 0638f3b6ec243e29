// Users.Details: one user, or all where none is named. Users may look at themselves, administrators at everybody.
import users from '@eventstore/db-client/generated/users_pb.js'
import { isAdmin } from '../access/principal.js'
import type { UserDetails } from '../access/user-directory.js'
import type { Rpc } from '../server-context.js'
import { accessDenied } from '../status.js'
import { frame } from '../transport/framing.js'
import { decodeMessage } from '../transport/message-reader.js'
import { required, usersOf } from './manage.js'

export const userDetails: Rpc = {
  path: '/event_store.client.users.Users/Details',
  handle: async (call, server, principal) => {
    const directory = usersOf(server)
    const login = required(decodeMessage(users.DetailsReq, await call.message()).getOptions()).getLoginName()
    if (!isAdmin(principal) && (login === '' || principal?.login !== login)) throw accessDenied()
    const found = login === '' ? await directory.list() : [await directory.details(login)]
    for (const user of found) await call.send(frame(responseOf(user).serializeBinary()))
  },
}

function responseOf({ login, fullName, groups, disabled, lastUpdated }: UserDetails): users.DetailsResp {
  const updated = new users.DetailsResp.UserDetails.DateTime().setTicksSinceEpoch(String(lastUpdated))
  const details = new users.DetailsResp.UserDetails()
    .setLoginName(login)
    .setFullName(fullName)
    .setGroupsList([...groups])
    .setDisabled(disabled)
    .setLastUpdated(updated)
  return new users.DetailsResp().setUserDetails(details)
}
