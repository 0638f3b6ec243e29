// The log job from end to end, on the built program: exactly the missing ones, once, whatever the lines look like.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { makegood, newFolder, rowsOf, summaryOf } from './run-makegood.js'

const payment = (id: string | number) => JSON.stringify({ transaction_id: id, event_type: 'Payment Confirmed' })
const ticket = (id: string | number) => JSON.stringify({ transaction_id: id, event_type: 'Ticket Issued' })

function writeLogs(payments: string, tickets: string) {
  const folder = newFolder()
  const files = { payments: join(folder, 'payments.json'), tickets: join(folder, 'tickets.json') }
  writeFileSync(files.payments, payments)
  writeFileSync(files.tickets, tickets)
  return { folder, out: join(folder, 'events.jsonl'), args: ['--payments', files.payments, '--tickets', files.tickets] }
}

/** 100,000 + 98,765 lines, of each hundred one broken and one doubled; `missing`: paid and not ticketed, in order of first payment. */
function bigLogs() {
  const ids = Array.from({ length: 98_000 }, (_, n) => `T${n}`)
  const isMissing = (n: number) => n % 37 === 0
  // Cut, so that its id can be read in tickets: it speaks of a transaction that nobody paid.
  const spoiled = (line: (id: string) => string, n: number) => {
    if (n % 100 === 1) return [line(`T${n}`), line(`T${n}`)]
    return n % 100 === 2 ? [line(`T${n}`), `{"transaction_id": "Y${n}", "event_ty`] : [line(`T${n}`)]
  }
  const payments = ids.flatMap((_, n) => spoiled(payment, n))
  const tickets = ids.flatMap((_, n) => (isMissing(n) ? [] : spoiled(ticket, n)))
  const more = (lines: string[], count: number, id: string) =>
    lines.push(...Array.from({ length: count - lines.length }, (_, n) => ticket(`${id}${n}`)))
  more(payments, 100_000, 'late')
  more(tickets, 98_765, 'late')
  return { payments, tickets, missing: ids.filter((_, n) => isMissing(n)) }
}

const subjectsOf = (ran: Awaited<ReturnType<typeof makegood>>) =>
  rowsOf(ran)
    .filter(({ rule }) => rule === 'paid-not-ticketed')
    .map(({ subject }) => subject)

describe('the log job', () => {
  it('finds exactly the missing ones among 100,000 + 98,765 lines with 1 % broken and 1 % doubled, and a second run adds none', async () => {
    const { payments, tickets, missing } = bigLogs()
    expect([payments.length, tickets.length]).toEqual([100_000, 98_765])
    const logs = writeLogs(`${payments.join('\n')}\n`, `${tickets.join('\n')}\n`)
    const first = await makegood(['scan', ...logs.args, '--out', logs.out, '--limit', '0'])
    expect(first.code).toBe(7)
    expect(readFileSync(logs.out, 'utf8')).toBe(
      missing.map((id) => `{"transaction_id": "${id}", "event_type": "Ticket Issued"}\n`).join(''),
    )
    const second = await makegood(['scan', ...logs.args, '--out', logs.out, '--limit', '0'])
    expect(summaryOf(second)).toMatchObject({ out: { written: 0 } })
    const asTickets = await makegood(['scan', ...logs.args, logs.out, '--limit', '0'])
    expect(summaryOf(asTickets).findings).not.toHaveProperty('paid-not-ticketed')
  })

  it('joins 42 and "42", keeps every digit of a long number, and takes duplicates, blank lines, CRLF and a byte-order mark', async () => {
    const long = '12345678901234567890'
    const logs = writeLogs(
      `\ufeff${payment(42)}\r\n\r\n${payment('A')}\n${payment('A')}\n{"transaction_id":${long},"event_type":"P"}`,
      `${ticket('42')}\r\n{"transaction_id":12345678901234567891,"event_type":"Ticket Issued"}\n${ticket('nobody paid')}\n`,
    )
    const ran = await makegood(['scan', ...logs.args])
    expect(ran.code).toBe(2)
    expect(subjectsOf(ran)).toEqual([long, 'A'])
  })

  it('tells each broken line by file, line and reason, and goes on', async () => {
    const logs = writeLogs(
      [
        '{',
        '[]',
        '{"event_type":"P"}',
        '{"transaction_id":null,"event_type":"P"}',
        '{"transaction_id":"a","transaction_id":"b","event_type":"P"}',
        payment('good'),
      ].join('\n'),
      '',
    )
    const ran = await makegood(['scan', ...logs.args])
    expect(ran.code).toBe(7)
    expect(subjectsOf(ran)).toEqual(['good'])
    for (const [line, why] of [
      [1, 'not valid JSON'],
      [2, 'not a JSON object'],
      [3, 'transaction_id is missing'],
      [4, 'transaction_id is neither text nor a number'],
      [5, 'transaction_id is there 2 times'],
    ]) {
      expect(ran.stderr).toContain(`payments.json:${line}: ${why}\n`)
    }
  })

  it('withholds the transaction of an unreadable ticket line whose id is certain', async () => {
    const logs = writeLogs(`${payment('A')}\n${payment('B')}\n`, '{"transaction_id": "A", "event_ty\n')
    const ran = await makegood(['scan', ...logs.args, '--out', logs.out])
    expect(ran.code).toBe(7)
    expect(readFileSync(logs.out, 'utf8')).toBe('{"transaction_id": "B", "event_type": "Ticket Issued"}\n')
    expect(rowsOf(ran)).toContainEqual(
      expect.objectContaining({ subject: 'A', rule: 'unknown-event', disposition: 'never' }),
    )
  })

  it.each([
    ['the id is cut', '{"transaction_id": "A'],
    ['a number could go on', '{"transaction_id": 4'],
    ['two ids are in it', '{"transaction_id": "A", "x": {"transaction_id": "B"'],
    ['nothing of it can be read', '\u0000\u0001 garbage'],
  ])('writes nothing where an unreadable ticket line could be any: %s', async (_why, line) => {
    const logs = writeLogs(`${payment('A')}\n`, `${line}\n`)
    const refused = await makegood(['scan', ...logs.args, '--out', logs.out])
    expect(refused.code).toBe(7)
    expect(existsSync(logs.out)).toBe(false)
    expect(refused.stderr).toContain('--accept-incomplete')
    const accepted = await makegood(['scan', ...logs.args, '--out', logs.out, '--accept-incomplete'])
    expect(accepted.code).toBe(7)
    expect(readFileSync(logs.out, 'utf8')).toContain('"A"')
  })

  it('reads a nested key, and its own lines under any key', async () => {
    const nested = (id: string, type: string) => JSON.stringify({ event_type: type, data: { transactionId: id } })
    const logs = writeLogs(`${nested('A', 'P')}\n${nested('B', 'P')}\n`, `${nested('A', 'T')}\n`)
    const key = ['--key', 'data.transactionId']
    const first = await makegood(['scan', ...logs.args, ...key, '--out', logs.out])
    expect(subjectsOf(first)).toEqual(['B'])
    expect((await makegood(['scan', ...logs.args, ...key, '--out', logs.out])).code).toBe(0)
  })

  it('reads standard input and packed files; a cut one is told and counted as incomplete', async () => {
    const logs = writeLogs('', '')
    const packed = join(logs.folder, 'payments.json.gz')
    const whole = gzipSync(`${payment('A')}\n${payment('B')}\n`)
    writeFileSync(packed, whole)
    const fromPipe = await makegood(['scan', '--payments', packed, '--tickets', '-'], { input: `${ticket('A')}\n` })
    expect(fromPipe.code).toBe(2)
    expect(subjectsOf(fromPipe)).toEqual(['B'])
    writeFileSync(packed, whole.subarray(0, whole.length - 9))
    const cut = await makegood(['scan', '--payments', packed, '--tickets', '-'], { input: '' })
    expect(cut.code).toBe(7)
    expect(cut.stderr).toMatch(/payments\.json\.gz:\d+: the packed file is cut off or damaged here/)
  })

  it('cuts off a torn last line of --out, says so, and makes that transaction good again', async () => {
    const logs = writeLogs(`${payment('A')}\n${payment('B')}\n`, '')
    writeFileSync(logs.out, '{"transaction_id": "A", "event_type": "Ticket Issued"}\n{"transaction_id": "B", "eve')
    const ran = await makegood(['scan', ...logs.args, '--out', logs.out])
    expect(ran.stderr).toContain('torn')
    expect(readFileSync(logs.out, 'utf8').match(/"B"/g)).toHaveLength(1)
  })

  it('narrows by event types', async () => {
    const logs = writeLogs(
      `${payment('A')}\n{"transaction_id":"B","event_type":"Refund"}\n`,
      '{"transaction_id":"A","event_type":"Seat Allocated"}\n',
    )
    const ran = await makegood([
      'scan',
      ...logs.args,
      '--payment-types',
      'Payment Confirmed',
      '--ticket-types',
      'Ticket Issued',
    ])
    expect(subjectsOf(ran)).toEqual(['A'])
  })

  it('shows hostile ids escaped in every format', async () => {
    const hostile = ['\u001b[2Jcleared', '__proto__', '=cmd()', 'x'.repeat(10_000), '\u202egnp.exe']
    const logs = writeLogs(hostile.map(payment).join('\n'), '')
    for (const format of ['ndjson', 'json', 'csv', 'table']) {
      const { stdout, code } = await makegood(['scan', ...logs.args, '--format', format])
      expect(code).toBe(2)
      expect(stdout).not.toMatch(/(?![\r\n])[\p{Cc}\p{Bidi_Control}]/u)
      if (format === 'csv') expect(stdout).not.toMatch(/(^|,)=cmd/m)
    }
    expect(subjectsOf(await makegood(['scan', ...logs.args])).sort()).toEqual([...hostile].sort())
  })

  it('says of logs that are worth several threads what one of them says', async () => {
    const wide = (line: string) => line.replace('}', `, "x": "${'x'.repeat(3_000)}"}`)
    const ids = Array.from({ length: 25_000 }, (_, n) => n)
    const paid = ids.map((n) => (n % 1_000 === 5 ? 'broken' : wide(payment(n % 20_000))))
    const issued = ids.slice(50).map((n) => (n % 3_000 === 5 ? '{' : wide(ticket(n))))
    const logs = writeLogs(paid.join('\n'), issued.join('\r\n'))
    try {
      const scan = (workers: string) =>
        makegood(['scan', ...logs.args, '--workers', workers, '--now', '2026-05-01T00:00:00Z'])
      const [alone, several] = [await scan('1'), await scan('3')]
      const told = ({ stdout }: typeof alone) => stdout.replace(/"elapsedMs":\d+/, '')
      expect({ ...several, stdout: told(several) }).toEqual({ ...alone, stdout: told(alone) })
      expect(alone.code).toBe(7)
      expect(alone.stderr.split('\n').filter((line) => line.includes('not valid JSON'))).toHaveLength(25 + 8)
      // Of the first 50 one was paid in broken lines only.
      expect(summaryOf(alone).findings).toMatchObject({ 'paid-not-ticketed': 49 })
    } finally {
      rmSync(logs.folder, { recursive: true })
    }
  })
})
