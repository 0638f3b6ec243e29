// Passwords are kept as salted hashes.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const HASH_BYTES = 32
const SALT_BYTES = 16

const derive = promisify<string, Buffer, number, Buffer>(scrypt)

/** A hash and its salt, in base64. */
export interface PasswordHash {
  readonly hash: string
  readonly salt: string
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, HASH_BYTES)
  return { hash: hash.toString('base64'), salt: salt.toString('base64') }
}

export async function isPassword(password: string, { hash, salt }: PasswordHash): Promise<boolean> {
  const expected = Buffer.from(hash, 'base64')
  if (expected.length !== HASH_BYTES) return false
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64'), HASH_BYTES), expected)
}
