// Users.Delete: administrators delete users.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { managedBy, required } from './manage.js'

export const deleteUser = unary('/event_store.client.users.Users/Delete', async (message, server, { principal }) => {
  const directory = managedBy(principal, server)
  const options = required(decodeMessage(users.DeleteReq, message).getOptions())
  await directory.delete(options.getLoginName())
  return new users.DeleteResp()
})
