// Users.Create: administrators make users.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { managedBy, required } from './manage.js'

export const createUser = unary('/event_store.client.users.Users/Create', async (message, server, { principal }) => {
  const directory = managedBy(principal, server)
  const options = required(decodeMessage(users.CreateReq, message).getOptions())
  await directory.create({
    login: options.getLoginName(),
    password: options.getPassword(),
    fullName: options.getFullName(),
    groups: options.getGroupsList(),
  })
  return new users.CreateResp()
})
