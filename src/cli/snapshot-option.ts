// `--snapshots` and `--no-from-snapshot`: where snapshots are kept, and whether they are used.
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Context } from './context.js'
import { type StoreOptions, storeOf } from './reading.js'
import { folderOf } from './store-folder.js'

export interface SnapshotOptions {
  readonly snapshots?: string
  /** False where it was asked for. */
  readonly fromSnapshot?: boolean
}

/** LMDB's files beside it do not mind. */
const FOLDER_IN_STORE = 'snapshots'

/** Adds `--snapshots`. */
export function withSnapshotsFolder(command: Command): Command {
  return command.option(
    '--snapshots <dir>',
    "where snapshots are kept (default: the folder snapshots in the store's own; needed for a server)",
  )
}

/** Adds both options. */
export function withSnapshotOptions(command: Command): Command {
  return withSnapshotsFolder(command).option(
    '--no-from-snapshot',
    'read the log from its start, whatever snapshots there are',
  )
}

/** The folder that holds snapshots; undefined where none is named and the store has no folder of its own. */
export function snapshotsFolderOf(options: SnapshotOptions & StoreOptions, context: Context): string | undefined {
  if (options.snapshots !== undefined) return options.snapshots
  const folder = folderOf(storeOf(options, context))
  return folder === undefined ? undefined : join(folder, FOLDER_IN_STORE)
}
