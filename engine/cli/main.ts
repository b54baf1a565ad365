#!/usr/bin/env node
import { processOutput, watchStandardOutput } from './process-output.js';
import { runProgram } from './program.js';

watchStandardOutput();
const exitCode = await runProgram(process.argv.slice(2), processOutput);
// Not process.exit: what was written to a pipe has to drain first.
if (exitCode !== 0) process.exitCode = exitCode;
