// Measuring whole processes: wall-clock time, time on the processor and peak private memory (RssAnon), as the operating system accounts
// for them; the last two sampled.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const SAMPLE_MS = 10

/** Turns that have taken so long are enough at so many: what is long is steadier than what is short. */
const LONG_MS = 90_000
const TURNS_OF_LONG_RUNS = 3

/**
 * Runs a command to its end. `ok` are the exit codes that are no failure. Throws where it ends otherwise.
 * Times in milliseconds (`outputMs`: until it printed for the last time), memory in bytes; all but the wall-clock time are 0 where there is no /proc.
 */
export async function measureOnce([command, ...args], { ok = [0], env = {} } = {}) {
  const startedAt = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let [stdout, stderr, peakBytes, cpuMs, outputMs] = ['', '', 0, 0, 0]
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    outputMs = performance.now() - startedAt
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, privateBytesOf(child.pid))
    cpuMs = Math.max(cpuMs, processorMsOf(child.pid))
  }, SAMPLE_MS)
  try {
    const [code] = await once(child, 'close')
    const ms = performance.now() - startedAt
    if (!ok.includes(code)) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`)
    return { ms, outputMs, cpuMs, peakBytes, stdout }
  } finally {
    clearInterval(sampling)
  }
}

/**
 * Measures several commands in turns, so that what else the machine does falls on all of them alike. `check(stdout)` throws where a
 * command did not do the work; `prepare()`, where there is one, goes before each run and is not measured. Gives, in the order asked for, the medians of the times and the highest of the peaks.
 */
export async function measureInTurns(contestants, runs) {
  const measured = contestants.map(() => [])
  const startedAt = performance.now()
  for (let turn = 0; turn < runs; turn += 1) {
    if (turn >= TURNS_OF_LONG_RUNS && performance.now() - startedAt > LONG_MS) break
    for (const [index, { command, ok, env, check, prepare }] of contestants.entries()) {
      await prepare?.()
      const one = await measureOnce(command, { ok, env })
      check(one.stdout)
      measured[index].push(one)
    }
  }
  return measured.map((all) => ({
    ms: medianOf(all.map(({ ms }) => ms)),
    outputMs: medianOf(all.map(({ outputMs }) => outputMs)),
    cpuMs: medianOf(all.map(({ cpuMs }) => cpuMs)),
    all: all.map(({ ms }) => ms),
    peakBytes: Math.max(...all.map(({ peakBytes }) => peakBytes)),
  }))
}

export function medianOf(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

export function privateBytesOf(pid) {
  try {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    // It has ended, or there is no /proc.
    return 0
  }
}

/** Milliseconds on the processor, of all threads of a process, in the steps of 10 ms that Linux counts in. */
export function processorMsOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold spaces and brackets: fields from the third on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}
