// A fast, even hash of text, for spreading it; never for telling two texts apart.

/** FNV-1a over UTF-16 code units with a final mix, as an unsigned 32-bit number: the same in every process. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x45d9f3b)
  return (hash ^ (hash >>> 16)) >>> 0
}
