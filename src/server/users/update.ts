// Users.Update: administrators change a user's name, groups and, where one is given, password.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { managedBy, required } from './manage.js'

export const updateUser = unary('/event_store.client.users.Users/Update', async (message, server, { principal }) => {
  const directory = managedBy(principal, server)
  const options = required(decodeMessage(users.UpdateReq, message).getOptions())
  await directory.update(options.getLoginName(), {
    password: options.getPassword(),
    fullName: options.getFullName(),
    groups: options.getGroupsList(),
  })
  return new users.UpdateResp()
})
