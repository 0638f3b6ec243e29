// Which subjects may share a key that should be unique: told from hashes of all uses, eight bytes a use, so that the uses themselves need not be
// held. Two keys of one hash make suspects of subjects that share nothing; who is one is looked at more closely.
import type { PartitionedLog } from './partitioned-log.js'
import type { Spool } from './spool.js'

/** Uses are spread by their keys' hashes; those of one partition are sorted in memory. */
const PARTITIONS = 64
const USE_BYTES = 8
const MEMORY_SHARE = 1 / 16

export class KeyUses {
  readonly #spool: Spool
  readonly #record = Buffer.alloc(USE_BYTES)

  constructor(log: Pick<PartitionedLog, 'newSpool'>) {
    this.#spool = log.newSpool(PARTITIONS, MEMORY_SHARE)
  }

  /** Takes uses: the hash of the subject and that of the key, one after the other. Throws ScratchError. */
  note(uses: Uint32Array): void {
    for (let index = 0; index < uses.length; index += 2) {
      const keyHash = uses[index + 1] as number
      this.#record.writeUInt32LE(uses[index] as number, 0)
      this.#record.writeUInt32LE(keyHash, 4)
      this.#spool.write(keyHash % PARTITIONS, this.#record, USE_BYTES)
    }
  }

  /** Hashes of all subjects that share a key, and of few that do not. Throws ScratchError. */
  suspects(): ReadonlySet<number> {
    const suspects = new Set<number>()
    for (let index = 0; index < PARTITIONS; index += 1) {
      const uses = this.#usesIn(index)
      for (let next = 1; next < uses.length; next += 1) {
        const [before, use] = [uses[next - 1] as bigint, uses[next] as bigint]
        if (before >> 32n !== use >> 32n) continue
        suspects.add(Number(before & 0xffffffffn)).add(Number(use & 0xffffffffn))
      }
    }
    return suspects
  }

  /** Key's hash above, subject's hash below; sorted, so that those of one key stand together. */
  #usesIn(index: number): BigUint64Array {
    const uses: bigint[] = []
    this.#spool.read(index, (bytes, start) => uses.push(bytes.readBigUInt64LE(start)))
    return BigUint64Array.from(uses).sort()
  }
}
