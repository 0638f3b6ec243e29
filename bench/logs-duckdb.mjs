// The log job in DuckDB. Arguments: the folder whose node_modules hold it, payments, tickets.
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [folder, payments, tickets] = process.argv.slice(2)
const { DuckDBInstance } = createRequire(join(folder, 'package.json'))('@duckdb/node-api')
const connection = await (await DuckDBInstance.create(':memory:')).connect()
const idsIn = (path) =>
  `SELECT transaction_id FROM read_json('${path}', format='newline_delimited', columns={transaction_id: 'VARCHAR', event_type: 'VARCHAR'})`
const reader = await connection.runAndReadAll(
  `SELECT count(DISTINCT transaction_id) FROM (${idsIn(payments)}) p ANTI JOIN (${idsIn(tickets)}) t USING (transaction_id)`,
)
process.stdout.write(`${reader.getRows()[0][0]}\n`)
