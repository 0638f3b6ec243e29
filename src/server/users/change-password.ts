// Users.ChangePassword: users give themselves another password.
import users from '@eventstore/db-client/generated/users_pb.js'
import { unary } from '../server-context.js'
import { accessDenied } from '../status.js'
import { decodeMessage } from '../transport/message-reader.js'
import { required, usersOf } from './manage.js'

export const changePassword = unary(
  '/event_store.client.users.Users/ChangePassword',
  async (message, server, { principal }) => {
    const directory = usersOf(server)
    const options = required(decodeMessage(users.ChangePasswordReq, message).getOptions())
    const login = options.getLoginName()
    if (principal?.login !== login) throw accessDenied()
    if (!(await directory.authenticate(login, options.getCurrentPassword()))) throw accessDenied()
    await directory.setPassword(login, options.getNewPassword())
    return new users.ChangePasswordResp()
  },
)
