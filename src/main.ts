#!/usr/bin/env node
// The composition root and `bin`: this process, one command, one exit code.
import { runProgram } from './cli/program.js'
import { processContext, programVersion } from './process-context.js'
import { openTracing } from './tracing.js'

const args = process.argv.slice(2)
const warn = (line: string) => void process.stderr.write(`makegood: ${line}\n`)
const traces = await openTracing({ env: process.env, version: programVersion(), warn })
process.exitCode = await traces.run(args, () => runProgram(args, processContext(traces.tracing)))
await traces.close()
