// Sends an answer of plain HTTP over either version of it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { HttpAnswer, HttpRequest } from '../features/http-routes.js'

type Answer = (request: HttpRequest) => Promise<HttpAnswer>

export async function sendHttp1(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { method = '', url: target = '/', headers } = request
  request.resume()
  const asked = { method, target, authority: headers.host ?? '', authorization: headers.authorization }
  const { status, body, contentType } = encode(await answer(asked))
  if (response.destroyed) return
  response.writeHead(status, { ...contentType, 'content-length': Buffer.byteLength(body) })
  response.end(method === 'HEAD' ? '' : body)
}

export async function sendHttp2(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  answer: Answer,
): Promise<void> {
  const method = headers[':method'] ?? ''
  const authority = headers[':authority'] ?? headers.host ?? ''
  stream.on('error', () => undefined)
  stream.resume()
  const { authorization } = headers
  const { status, body, contentType } = encode(
    await answer({ method, target: headers[':path'] ?? '/', authority, authorization }),
  )
  if (stream.destroyed) return
  stream.respond({ ':status': status, ...contentType })
  stream.end(method === 'HEAD' ? '' : body)
}

function encode({ status, json, text = '' }: HttpAnswer) {
  const [body, type] = json === undefined ? [text, 'text/plain'] : [JSON.stringify(json), 'application/json']
  return { status, body, contentType: body === '' ? {} : { 'content-type': `${type}; charset=utf-8` } }
}
