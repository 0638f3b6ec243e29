// Answers that no client may take for success, each looking a little like one.
import type { ServerResponse } from 'node:http'
import { draw } from './behaviour.js'

type Garbage = (response: ServerResponse, key: string) => void

const NONSENSE: readonly Garbage[] = [
  (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please log in</html>'),
  (response, key) => response.writeHead(200).end(`{"key":"${key}","kind":"done","answer":{"ticketNumber":"88800000`),
  (response, key) => response.writeHead(200).end(JSON.stringify({ key, kind: 'done' })),
  (response, key) => response.writeHead(200).end(JSON.stringify({ key, kind: 'done', answer: [] })),
  (response, key) => response.writeHead(200).end(JSON.stringify({ key, kind: 'found', answer: 'yes' })),
  (response, key) => response.writeHead(200).end(JSON.stringify({ key, kind: 'probably', answer: {} })),
  (response, key) => response.writeHead(502).end(JSON.stringify({ key, kind: 'done', answer: {} })),
  (response, key) => response.writeHead(302, { location: '/issue' }).end(JSON.stringify({ key, kind: 'none' })),
  (response) => response.writeHead(200).end(JSON.stringify({ key: 'another', kind: 'none' })),
  (response) => response.writeHead(200).end(Buffer.from([0xff, 0xfe, 0x7b])),
  (response) => response.writeHead(200).end(),
]

/** Answers with one of the kinds of nonsense; `times` as in deliveryOf. */
export function answerNonsense(
  response: ServerResponse,
  { seed, key, times }: { seed: number; key: string; times: number },
): void {
  const index = Math.floor(draw(seed, 'garbage', key, String(times)) * NONSENSE.length)
  NONSENSE[index]?.(response, key)
}
