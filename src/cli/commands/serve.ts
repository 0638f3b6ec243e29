// `serve`: the embedded store as an EventStoreDB on the wire, until a signal stops it.
import type { Command } from 'commander'
import type { Context, ServeOptions } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { readWhole } from '../files.js'
import { numberOption } from '../number-option.js'
import { storeOf } from '../reading.js'
import { readServedUsers } from '../served-users.js'
import { escapeText } from '../text.js'

interface Options {
  readonly store?: string
  readonly port: number
  readonly host: string
  readonly insecure?: boolean
  readonly cert?: string
  readonly key?: string
  readonly ca?: string
  readonly users?: string
  readonly systemProjections?: boolean
  readonly maxAppendSize?: number
  readonly commitTimeoutMs?: number
}

const DEFAULT_PORT = 2113
const MAX_PORT = 65_535

const EXAMPLES = `
Prints the connection string as soon as it answers. SIGTERM and Ctrl-C let calls under way end.

Examples:
  $ makegood serve --insecure
  $ makegood serve --cert node.crt --key node.key --ca ca.crt --host 0.0.0.0 --store ./makegood-data`

/** Adds the command. */
export function addServe(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  program
    .command('serve')
    .description('serve the embedded store as an EventStoreDB on the wire')
    .option('--store <where>', 'a folder, or memory: (default: $MAKEGOOD_STORE, else ./makegood-data)')
    .option('--port <port>', '0: any free one', numberOption('--port'), DEFAULT_PORT)
    .option('--host <address>', 'what to listen on; 0.0.0.0: every network of this machine', '127.0.0.1')
    .option('--insecure', 'no TLS and no users: everybody who reaches the port may do everything')
    .option('--cert <file>', "the server's certificate (PEM)")
    .option('--key <file>', 'its private key (PEM)')
    .option('--ca <file>', 'the certificates that lead from it to a root (PEM)')
    .option('--users <file>', 'users beside admin and ops: a JSON list of login, password, fullName, groups')
    .option('--system-projections', 'write $ce-…, $et-…, $bc-…, $category-… and $streams')
    .option('--max-append-size <bytes>', 'data of one append (default: 1048576)', numberOption('--max-append-size', 1))
    .option(
      '--commit-timeout-ms <ms>',
      "when a write's outcome is told as unknown (default: 2000)",
      numberOption('--commit-timeout-ms', 1),
    )
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => run(serve(options, context)))
}

async function serve(options: Options, context: Context): Promise<ExitCode> {
  const { stdout, stderr, interruption } = context
  const asked = await serveOptions(options, context)
  const serving = await context.serve(asked)
  stdout.write(`${serving.connectionString}\n`)
  if (stderr.isTerminal) stderr.write(`Serving ${escapeText(asked.store)}; Ctrl-C stops it.\n`)
  await Promise.race([aborted(interruption.signal), serving.stopped])
  await serving.stop()
  if (!interruption.signal.aborted) return EXIT.clean
  // Whoever supervises a server stops it by SIGTERM: that is no failure.
  return interruption.name() === 'SIGTERM' ? EXIT.clean : EXIT.interrupted
}

async function serveOptions(options: Options, context: Context): Promise<ServeOptions> {
  const { host, port, systemProjections = false, maxAppendSize, commitTimeoutMs } = options
  const store = storeOf(options, context)
  if (/^[a-z+]+:\/\//i.test(store))
    throw new UsageError('--store: a server cannot be served; name a folder, or memory:')
  if (port > MAX_PORT) throw new UsageError(`--port ${port}: expected a number up to ${MAX_PORT}`)
  mustBeDecided(options)
  return {
    store,
    host,
    port,
    tls: await readTls(options),
    systemProjections,
    users: options.users === undefined ? [] : await readServedUsers(options.users),
    ...(maxAppendSize !== undefined && { maxAppendBytes: maxAppendSize }),
    ...(commitTimeoutMs !== undefined && { commitTimeoutMs }),
  }
}

/** As a real server does, this one starts without TLS only where that was asked for. */
function mustBeDecided({ insecure = false, cert, key, ca, users }: Options): void {
  if (insecure) {
    if (cert !== undefined || key !== undefined || ca !== undefined) {
      throw new UsageError('--insecure and certificates exclude each other')
    }
    if (users !== undefined) throw new UsageError('--users: a server without TLS has no users; give --cert and --key')
    return
  }
  if (cert !== undefined && key !== undefined) return
  throw new UsageError(
    cert === undefined && key === undefined
      ? 'serve needs a certificate and its key (--cert FILE --key FILE), or --insecure: no TLS and no users'
      : `${cert === undefined ? '--cert' : '--key'} is missing: a certificate and its key go together`,
  )
}

async function readTls({ cert, key, ca }: Options): Promise<ServeOptions['tls']> {
  if (cert === undefined || key === undefined) return undefined
  const texts = { cert: await readNamed('--cert', cert), key: await readNamed('--key', key) }
  return ca === undefined ? texts : { ...texts, ca: await readNamed('--ca', ca) }
}

async function readNamed(option: string, path: string): Promise<string> {
  try {
    return await readWhole(path)
  } catch (error) {
    throw new UsageError(`${option} ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
