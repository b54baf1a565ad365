import { askAtTerminal, type Surroundings } from '../signers/index.js';
import { readInputFile } from './input-file.js';

/** This process, as signers see it. */
export const processSurroundings: Surroundings = {
  readFile: readInputFile,
  environment: process.env,
  ask: askAtTerminal,
};
