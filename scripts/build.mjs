// Builds dist/ with the TypeScript compiler, from nothing, so that no file of an earlier build is left in it.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))

rmSync(`${root}/dist`, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (existsSync(`${root}/dist/src/main.js`)) chmodSync(`${root}/dist/src/main.js`, 0o755)
process.exitCode = status ?? 1
