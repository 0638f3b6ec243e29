// Sends an answer of plain HTTP over either version of it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { HttpAnswer, HttpRequest } from '../features/http-routes.js'

type Answer = (request: HttpRequest) => HttpAnswer

export function sendHttp1(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { method = '', url: target = '/', headers } = request
  const { status, body, contentType } = encode(answer({ method, target, authority: headers.host ?? '' }))
  request.resume()
  response.writeHead(status, { ...contentType, 'content-length': Buffer.byteLength(body) })
  response.end(method === 'HEAD' ? '' : body)
}

export function sendHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, answer: Answer): void {
  const method = headers[':method'] ?? ''
  const request = { method, target: headers[':path'] ?? '/', authority: headers[':authority'] ?? headers.host ?? '' }
  const { status, body, contentType } = encode(answer(request))
  stream.on('error', () => undefined)
  stream.resume()
  stream.respond({ ':status': status, ...contentType })
  stream.end(method === 'HEAD' ? '' : body)
}

function encode({ status, json, text = '' }: HttpAnswer) {
  const [body, type] = json === undefined ? [text, 'text/plain'] : [JSON.stringify(json), 'application/json']
  return { status, body, contentType: body === '' ? {} : { 'content-type': `${type}; charset=utf-8` } }
}
