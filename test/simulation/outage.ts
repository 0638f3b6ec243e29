// The place of a simulation: a folder with a generated outage in an embedded store, the simulator as a process with its ledger, plans made
// by the program, processes that apply them and somebody who writes beside them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Plan, parsePlan } from '../../src/repair/plan.js'
import type { BehaviourOptions } from '../../src/simulator/behaviour.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { generate } from '../../src/workload/generate.js'
import { AUTHORITY_FILE, TruthFiles } from '../../src/workload/truth-files.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { type SimulatorProcess, spawnSimulator } from '../simulator/simulator-process.js'
import { type Evidence, readEvidence } from './evidence.js'
import { type End, MakegoodProcess, runMakegood } from './makegood-process.js'

const BYSTANDER = fileURLToPath(new URL('bystander.mjs', import.meta.url))

/** Something that a bystander does; see bystander.mjs. */
export interface Act {
  readonly act: 'refund' | 'refund-failed' | 'live' | 'live-rude' | 'sell' | 'sell-unticketed'
  readonly bookingId: string
  readonly passengerId?: string
  readonly refundId?: string
  /** Of `live`: it comes to nothing, and may be tried again. */
  readonly failsFirst?: boolean
  /** The booking that a new one is like. */
  readonly like?: string
}

export interface Planned {
  readonly file: string
  readonly plan: Plan
}

export interface OutageOptions {
  readonly seed: number
  readonly bookings: number
  readonly scenario?: 'outage' | 'mixed'
  readonly behaviour?: BehaviourOptions
  /** Plans and decisions ask the authority for each booking's tickets as well. */
  readonly asksAuthority?: boolean
}

export class Outage {
  /** How every process ended that was waited for. */
  readonly ends: End[] = []
  readonly digests: string[] = []
  readonly plans: Plan[] = []
  #simulator: SimulatorProcess | undefined
  #bystanders = 0

  private constructor(
    readonly folder: string,
    readonly now: string,
    readonly asksAuthority: boolean,
  ) {}

  /** Makes the store and starts the simulator. */
  static async make(options: OutageOptions): Promise<Outage> {
    const { seed, bookings, scenario = 'outage', behaviour = {}, asksAuthority = false } = options
    const folder = await mkdtemp(join(tmpdir(), 'makegood-simulation-'))
    const workload = generate({ bookings, seed, scenario })
    const outage = new Outage(folder, workload.marker.now, asksAuthority)
    const store = await openEmbeddedStore({ folder: outage.store })
    const truth = new TruthFiles(folder, workload.marker)
    await writeWorkload(store, workload, { onOutline: (outline) => truth.note(outline) })
    truth.close()
    await store.close()
    await outage.startSimulator(behaviour)
    return outage
  }

  get store(): string {
    return join(this.folder, 'store')
  }

  get ledger(): string {
    return join(this.folder, 'ledger.jsonl')
  }

  get journal(): string {
    return join(this.folder, 'journal.jsonl')
  }

  get url(): string {
    return this.#simulator?.url ?? 'http://127.0.0.1:9'
  }

  /** Options of every command that repairs. Lost answers are the rule here: they must not end a run. */
  get #repairing(): string[] {
    return [...this.#judging, '--authority', this.url, '--error-budget', '1000000']
  }

  /** Options of every command that judges bookings for a repair. */
  get #judging(): string[] {
    const lookup = this.asksAuthority ? ['--lookup', `ticket-authority=${this.url}`] : []
    return ['--store', this.store, ...lookup]
  }

  /** Starts the simulator, on the port that it had before; one that runs is killed first. */
  async startSimulator(behaviour: BehaviourOptions): Promise<void> {
    const port = this.#simulator ? ['--port', new URL(this.#simulator.url).port] : []
    await this.#simulator?.kill()
    const file = join(this.folder, 'behaviour.json')
    await writeFile(file, JSON.stringify(behaviour))
    const known = ['--known', join(this.folder, AUTHORITY_FILE)]
    this.#simulator = await spawnSimulator(['--ledger', this.ledger, ...known, '--behaviour', file, ...port])
  }

  /** A plan as the program makes it; what becomes of it is judged. */
  async plan(name: string): Promise<Planned> {
    const planned = await this.planUnapplied(name)
    this.plans.push(planned.plan)
    return planned
  }

  /** A plan that is only looked at. */
  async planUnapplied(name: string): Promise<Planned> {
    const file = join(this.folder, `${name}.json`)
    const end = await runMakegood('plan', ...this.#judging, '--out', file)
    if (end.code !== 0) throw new Error(`plan ended with ${end.code}: ${end.stderr}`)
    return { file, plan: parsePlan(await readFile(file, 'utf8'), file) }
  }

  /** Starts a process that applies a plan; wait for it with `settle`. */
  apply({ file, plan }: Planned, failpoint?: string): MakegoodProcess {
    return new MakegoodProcess(['apply', file, '--approve', plan.digest, ...this.#repairing], failpoint)
  }

  /** Starts a process that plans and applies in one. */
  repair(failpoint?: string): MakegoodProcess {
    return new MakegoodProcess(['repair', '--yes', ...this.#repairing], failpoint)
  }

  /** Waits until a process has ended, and keeps what it said. */
  async settle(process: MakegoodProcess): Promise<End> {
    const end = await process.end
    this.ends.push(end)
    return end
  }

  /** Applies a plan until nothing stops it any more: a collision ends a run, and the next one goes on. */
  async converge(planned: Planned): Promise<End> {
    let end = await this.settle(this.apply(planned))
    for (let runs = 0; end.code === 6 && runs < planned.plan.items.length; runs += 1) {
      end = await this.settle(this.apply(planned))
    }
    return end
  }

  /** Verifies by a process of its own and keeps its digest. */
  async verify(): Promise<End> {
    const end = await runMakegood('verify', '--store', this.store)
    const summary = JSON.parse(end.stdout.trimEnd().split('\n').at(-1) ?? '{}') as { digest?: string }
    this.digests.push(String(summary.digest))
    return end
  }

  /** Lets a bystander act in a process of its own; resolves when it is through. */
  async stand(acts: readonly Act[], { pauseMs }: { pauseMs: number }): Promise<void> {
    this.#bystanders += 1
    const file = join(this.folder, `acts-${this.#bystanders}.json`)
    await writeFile(file, JSON.stringify({ acts, now: this.now }))
    const args = [BYSTANDER, this.store, this.url, this.journal, file, String(pauseMs)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`the bystander ended with ${code}`)
  }

  /** What lies on the disk by now, and what all processes said. Verify twice before, for digests to compare. */
  evidence(): Promise<Evidence> {
    const { plans, ends, digests } = this
    return readEvidence(this, { plans, ends, digests })
  }

  /** Ends the simulator; what lies on the disk is left for whoever wants to look at it. */
  async stop(): Promise<void> {
    await this.#simulator?.kill()
  }

  async end(): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}
