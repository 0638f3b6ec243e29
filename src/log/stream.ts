// Names of streams. A name is `category-subject`, split at its first dash, as EventStoreDB's $by_category does by default.

/** What precedes the name of a stream in the name of its metadata stream: `$$payment-42` describes `payment-42`. */
const METADATA_PREFIX = '$$'

/** The part before the first dash: `payment` of `payment-42`; undefined where the name has no dash. */
export function categoryOf(stream: string): string | undefined {
  const dash = stream.indexOf('-')
  return dash < 0 ? undefined : stream.slice(0, dash)
}

/** The part after the first dash: `42` of `payment-42`; undefined where there is none or it is empty. */
export function subjectOf(stream: string): string | undefined {
  const dash = stream.indexOf('-')
  return dash < 0 || dash === stream.length - 1 ? undefined : stream.slice(dash + 1)
}

/** The stream of one subject in one category. */
export function streamOf(category: string, subject: string): string {
  return `${category}-${subject}`
}

/** The stream that holds the metadata of `stream`. */
export function metadataStreamOf(stream: string): string {
  return METADATA_PREFIX + stream
}

/** The stream that a metadata stream describes, or undefined where `stream` is no metadata stream. */
export function describedBy(stream: string): string | undefined {
  return stream.startsWith(METADATA_PREFIX) ? stream.slice(METADATA_PREFIX.length) : undefined
}

/** Prefixes of the names of all streams of these categories and of their metadata streams. */
export function prefixesOf(categories: readonly string[]): string[] {
  return categories.flatMap((category) => [`${category}-`, metadataStreamOf(`${category}-`)])
}
