// The simulator on the wire: docs/authority.md's protocol on a loopback port, with the misfortunes that its settings ask for.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { type Behaviour, type BehaviourOptions, behaviourSchema, deliveryOf, type Question } from './behaviour.js'
import { answerNonsense } from './garbage.js'
import { readKnownTickets } from './known-tickets.js'
import { Ledger } from './ledger.js'
import { TicketAuthority } from './ticket-authority.js'

export interface SimulatorOptions extends BehaviourOptions {
  /** The file that it remembers in; made where it is not there. One simulator at a time has it. */
  readonly ledger: string
  /** A file of tickets that were issued before (the generator's `authority.jsonl`). */
  readonly known?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Default the clock; milliseconds since the Unix epoch. */
  readonly clock?: () => number
}

export interface Simulator {
  /** What `--authority` is given. */
  readonly url: string
  /** Stops answering at once and closes the ledger. */
  stop(): Promise<void>
}

/** Starts the simulator. Throws LinesUnusableError, ZodError where a setting is wrong, or the system's error where the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { ledger: path, known, port = 0, clock = Date.now, ...rest } = options
  const behaviour = behaviourSchema.parse(rest)
  const ledger = await Ledger.open(path, known === undefined ? [] : await readKnownTickets(known))
  const authority = new TicketAuthority(ledger, behaviour, clock)
  const server = createServer((request, response) => {
    // Whatever goes wrong here, above all a ledger that cannot be written, must not look like an answer.
    serve({ request, response, ledger, authority, behaviour }).catch(() => response.destroy())
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  } catch (error) {
    await ledger.close()
    throw error
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await ledger.close()
    },
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly ledger: Ledger
  readonly authority: TicketAuthority
  readonly behaviour: Behaviour
}

async function serve(exchange: Exchange): Promise<void> {
  const { request, response, ledger, authority, behaviour } = exchange
  const body = await bodyOf(request)
  if (request.method !== 'POST' || body === undefined) return send(response, 400, { message: 'POST a JSON object' })
  if (request.url === '/admit') return send(response, 200, admission(body))
  const question = questionIn(request, body)
  if (question === undefined) return send(response, 400, { message: 'see docs/authority.md' })
  const answer = await authority.ask(question)
  const { key } = question
  const times = ledger.timesAsked(key)
  const delivery = deliveryOf(behaviour, question, times)
  if (delivery === 'lost') response.destroy()
  else if (delivery === 'garbage') answerNonsense(response, { seed: behaviour.seed, key, times })
  else if (delivery === 'answered') send(response, 200, { key, ...answer })
}

const admissible = z.object({ generated: z.literal(true) })

function admission(body: unknown): unknown {
  if (admissible.safeParse(body).success) return { kind: 'admitted' }
  return { kind: 'refused', message: 'This is a simulator: it works only for a store that is marked as generated.' }
}

const requestSchema = z.object({
  bookingId: z.string().min(1),
  passengerId: z.string().min(1).optional(),
  documentType: z.enum(['TKT', 'EMDA', 'EMDS']).optional(),
  segments: z.array(z.unknown()).default([]),
})

function questionIn({ url, headers }: IncomingMessage, body: unknown): Question | undefined {
  const call = url === '/lookup' ? 'lookup' : url === '/issue' ? 'issue' : undefined
  const key = headers['idempotency-key']
  const parsed = requestSchema.safeParse(body)
  if (call === undefined || typeof key !== 'string' || key === '' || !parsed.success) return undefined
  if (call === 'issue' && parsed.data.passengerId === undefined) return undefined
  return { call, key, ...parsed.data, segments: parsed.data.segments.length }
}

const BODY_BYTES_MAX = 65_536

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += (chunk as Buffer).length
    if (length > BODY_BYTES_MAX) return undefined
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
