// Users.Enable: administrators let a disabled user in again.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { managedBy, required } from './manage.js'

export const enableUser = unary('/event_store.client.users.Users/Enable', async (message, server, { principal }) => {
  const directory = managedBy(principal, server)
  const options = required(decodeMessage(users.EnableReq, message).getOptions())
  await directory.setDisabled(options.getLoginName(), false)
  return new users.EnableResp()
})
