// Users.Disable: administrators keep a user out.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { managedBy, required } from './manage.js'

export const disableUser = unary('/event_store.client.users.Users/Disable', async (message, server, { principal }) => {
  const directory = managedBy(principal, server)
  const options = required(decodeMessage(users.DisableReq, message).getOptions())
  await directory.setDisabled(options.getLoginName(), true)
  return new users.DisableResp()
})
