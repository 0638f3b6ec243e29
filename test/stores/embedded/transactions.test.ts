// What a failed commit means to the caller: written is what can be read, unknown what can be read but may not last, and an id that was
// not written is not known.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ProposedEvent } from '../../../src/log/event.js'
import { decideAppend } from '../../../src/stores/append-decision.js'
import { commitErrorOf, readOrCorrupt, unavailable } from '../../../src/stores/embedded/errors.js'
import { LogReader } from '../../../src/stores/embedded/log-reader.js'
import { makeTables, type Tables } from '../../../src/stores/embedded/tables.js'
import { type Transaction, Transactions } from '../../../src/stores/embedded/transactions.js'
import { anEvent } from '../../controls/events.js'
import { testFolder } from './child.js'

describe('a commit that fails', () => {
  test('with nothing of it to be read is an error, and a retry writes the events', async () => {
    const { tables, transactions, folder } = await openTransactions()
    const event = anEvent()
    const failing = withCommit(tables, async (work) => {
      await tables.root
        .childTransaction(() => {
          work()
          throw new Error('rolled back')
        })
        .catch(() => undefined)
    })
    await expect(transactions.run(failing, appendTo('a', event))).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: `${folder} cannot be written: Input/output error`,
    })
    expect(new LogReader(tables).headOf('a').last).toBe(-1)
    expect(await transactions.run(tables, appendTo('a', event))).toMatchObject({ kind: 'done', result: 'write' })
    expect(await transactions.run(tables, appendTo('a', event))).toMatchObject({ kind: 'done', result: 'alreadyThere' })
    await tables.root.close()
  })

  test('with its events to be read all the same is unknown', async () => {
    const { tables, transactions } = await openTransactions()
    const failing = withCommit(tables, (work) => tables.root.childTransaction(work))
    const outcome = await transactions.run(failing, appendTo('a', anEvent()))
    expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringContaining('Input/output error') })
    await tables.root.close()
  })

  test('what a decision throws by itself is passed on, and nothing of it is written', async () => {
    const { tables, transactions } = await openTransactions()
    const event = anEvent()
    const work = (transaction: Transaction) => {
      appendTo('a', event)(transaction)
      throw new RangeError('a mistake of ours')
    }
    await expect(transactions.run(tables, work)).rejects.toThrow(RangeError)
    expect(new LogReader(tables).headOf('a').last).toBe(-1)
    expect(await transactions.run(tables, appendTo('a', event))).toMatchObject({ result: 'write' })
    await tables.root.close()
  })
})

describe("LMDB's errors", () => {
  test.each([
    [28, 'the disk is full'],
    [122, 'the disk quota is used up'],
    [27, 'the limit on the size of a file is reached'],
    [13, 'there is no right to write or lock it'],
    [30, 'the file system is read-only'],
    [-30792, 'the memory map cannot grow any further'],
    ['EACCES', 'there is no right to write or lock it'],
    ['ENOSPC', 'the disk is full'],
    ['EELSE', 'the message'],
    [5, 'the message'],
  ])('number %s is told as: %s', (code, reason) => {
    const cause = Object.assign(new Error('the message'), { code })
    expect(unavailable('/', 'cannot be written', cause)).toMatchObject({
      message: `/ cannot be written: ${reason}`,
      cause,
    })
  })

  test('an error without a number, or of a folder that is gone, is told by its message', () => {
    expect(unavailable('/', 'cannot be read', 'odd').message).toBe('/ cannot be read: odd')
    const gone = `/${randomUUID()}`
    const cause = Object.assign(new Error('Input/output error'), { code: 5 })
    expect(unavailable(gone, 'cannot be read', cause).message).toBe(`${gone} cannot be read: Input/output error`)
  })

  test('one without a hidden reason is its own', async () => {
    const error = new Error('plain')
    expect(await commitErrorOf(error)).toBe(error)
  })

  test('while reading they mean damage, but for too many readers', () => {
    const failing = (code?: number) => () => readOrCorrupt(() => raise(Object.assign(new Error('MDB'), { code })))
    expect(failing(-30796)).toThrow(expect.objectContaining({ name: 'StoreCorruptError' }))
    expect(failing(-30790)).toThrow(expect.objectContaining({ name: 'StoreUnavailableError' }))
    expect(failing()).toThrow(expect.objectContaining({ name: 'Error' }))
  })
})

async function openTransactions() {
  const folder = await testFolder()
  const tables = makeTables(folder)
  return { folder, tables, transactions: new Transactions(folder, Date.now) }
}

/** Appends one event with the guard `any` and tells what was decided. */
function appendTo(stream: string, event: ProposedEvent) {
  return ({ view, write }: Transaction): string => {
    const decision = decideAppend(view, stream, [event], 'any')
    if (decision.kind === 'write') write(decision.records)
    return decision.kind
  }
}

/** The tables, with every commit failing as LMDB lets it fail: the reason is in a promise of its own. */
function withCommit(tables: Tables, commit: (work: () => unknown) => Promise<unknown>): Tables {
  const childTransaction = async (work: () => unknown): Promise<never> => {
    await commit(work)
    const reason = Object.assign(new Error('Input/output error'), { code: 5 })
    throw Object.assign(new Error('Commit failed'), { commitError: Promise.reject(reason) })
  }
  return { ...tables, root: Object.create(tables.root, { childTransaction: { value: childTransaction } }) }
}

function raise(error: Error): never {
  throw error
}
