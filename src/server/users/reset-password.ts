// Users.ResetPassword: administrators give a user another password.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { managedBy, required } from './manage.js'

export const resetPassword = unary(
  '/event_store.client.users.Users/ResetPassword',
  async (message, server, { principal }) => {
    const directory = managedBy(principal, server)
    const options = required(decodeMessage(users.ResetPasswordReq, message).getOptions())
    await directory.setPassword(options.getLoginName(), options.getNewPassword())
    return new users.ResetPasswordResp()
  },
)
