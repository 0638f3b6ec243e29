// Whether the text of `--store` names a folder, and which.

/** The folder that `where` names; undefined for `memory:` and servers. */
export function folderOf(where: string): string | undefined {
  return /^(memory:$|(esdb|kurrentdb)(\+discover)?:\/\/)/.test(where) ? undefined : where
}
