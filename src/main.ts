#!/usr/bin/env node
// The composition root and `bin`: this process, one command, one exit code.
import { runProgram } from './cli/program.js'
import { processContext } from './process-context.js'

process.exitCode = await runProgram(process.argv.slice(2), processContext())
