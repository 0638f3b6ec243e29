// Tickets that the authority issued before the simulator was started: those whose events the log has lost.
import { readFile } from 'node:fs/promises'
import { LinesUnusableError } from './durable-lines.js'
import { type Ticket, ticketSchema } from './ledger.js'

/** The tickets in a file, one JSON object a line. Throws LinesUnusableError naming the line that is none. */
export async function readKnownTickets(path: string): Promise<Ticket[]> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new LinesUnusableError(`${path} cannot be read`, { cause })
  })
  return text.split('\n').flatMap((line, index) => (line === '' ? [] : [ticketIn(line, `${path}:${index + 1}`)]))
}

function ticketIn(line: string, where: string): Ticket {
  try {
    return ticketSchema.parse(JSON.parse(line))
  } catch (cause) {
    throw new LinesUnusableError(`${where} is no ticket`, { cause })
  }
}
