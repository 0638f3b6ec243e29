import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { httpAuthority } from '../../src/authorities/http-authority.js'

const CALL = { key: 'k1', request: { bookingId: 'B1', passengerId: 'P1' } }

describe('an authority behind HTTP', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener)
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const answering = (status: number, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    serve((_, response) => void response.writeHead(status, headers).end(body))

  it('posts the request with its key and credentials, and gives back the answer', async () => {
    const seen: {
      method?: string | undefined
      url?: string | undefined
      headers: IncomingMessage['headers']
      body: string
    }[] = []
    const host = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push({ method: request.method, url: request.url, headers: request.headers, body })
      response.end(JSON.stringify({ key: 'k1', kind: 'done', answer: { ticketNumber: '1' } }))
    })
    const authority = httpAuthority(`http://user:p%40ss@${host}/tickets/?x=1`)
    expect(authority.name).toBe(`http://${host}/tickets`)
    expect(await authority.issue(CALL)).toEqual({ kind: 'done', answer: { ticketNumber: '1' } })
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/tickets/issue',
        headers: {
          'idempotency-key': 'k1',
          'content-type': 'application/json',
          authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
        },
        body: JSON.stringify(CALL.request),
      },
    ])
  })

  it.each([
    ['not found', 404, '{"key":"k1","kind":"none"}'],
    ['an error', 500, '{"key":"k1","kind":"none"}'],
    ['created', 201, '{"key":"k1","kind":"none"}'],
    ['HTML', 200, '<html>'],
    ['nothing', 200, ''],
    ['no key', 200, '{"kind":"none"}'],
    ['another key', 200, '{"key":"k2","kind":"none"}'],
    ['text', 200, '"none"'],
    ['a wrong shape', 200, '{"key":"k1","kind":"found"}'],
    ['bad UTF-8', 200, Buffer.from('{"key":"k1","kind":"none","x":"\xff"}', 'latin1')],
    ['more than a mebibyte', 200, `{"key":"k1","kind":"none"}${' '.repeat(1_100_000)}`],
  ])('takes %s for unknown', async (_, status, body) => {
    const authority = httpAuthority(`http://${await answering(status, body)}`)
    expect((await authority.lookUp(CALL)).kind).toBe('unknown')
  })

  it('does not follow a redirect', async () => {
    let asked = 0
    const host = await serve((_, response) => {
      asked += 1
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await httpAuthority(`http://${host}`).issue(CALL)).toMatchObject({ message: expect.stringMatching(/307/) })
    expect(asked).toBe(1)
  })

  it('gives up on an answer that never ends', async () => {
    const host = await serve((_, response) => void response.writeHead(200).write('{"key":"k1",'))
    expect((await httpAuthority(`http://${host}`, { timeoutMs: 100 }).issue(CALL)).kind).toBe('unknown')
  })

  it('tells no credentials in its messages', async () => {
    const authority = httpAuthority('http://user:secret@127.0.0.1:1')
    const answer = await authority.issue(CALL)
    expect(answer).toMatchObject({ kind: 'unknown' })
    expect(JSON.stringify([answer, authority.name])).not.toMatch(/secret|user/)
    expect(() => httpAuthority('secret://user:secret')).toThrow(/^The authority must be an http: or https: URL$/)
    expect(() => httpAuthority('secret')).toThrow(/^The authority must be/)
  })

  it('admits every store where it does not know the question, and none where the answer makes no sense', async () => {
    const silent = httpAuthority(`http://${await answering(404, '')}`)
    expect(await silent.admits?.({ generated: false })).toEqual({ kind: 'admitted' })
    server?.close()
    const broken = httpAuthority(`http://${await answering(200, '{}')}`)
    expect((await broken.admits?.({ generated: false }))?.kind).toBe('unknown')
  })
})
