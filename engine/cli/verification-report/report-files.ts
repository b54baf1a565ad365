import { Option } from 'commander';
import { toJsonFile } from '../outcome.js';
import { replaceFile } from '../output-file.js';
import { packageVersion } from '../package-version.js';
import type { JudgedBundle } from './judged-bundle.js';
import { renderJunit } from './junit-xml.js';
import { renderSarif } from './sarif-log.js';

/** Where to write the verdicts for CI, beside what is printed. */
export interface ReportFileOptions {
  readonly sarif?: string;
  readonly junit?: string;
}

const REPORT_MODE = 0o644;

export function reportFileOptions(): Option[] {
  return [
    new Option('--sarif <file>', 'write the verdicts as SARIF 2.1.0 too, for code-scanning pages'),
    new Option('--junit <file>', 'write the verdicts as JUnit XML too, one test case for each bundle'),
  ];
}

/**
 * Writes the files that were asked for, whole or not at all, whatever the verdicts are: a missing file would keep old
 * alerts open.
 *
 * @throws VespidError INPUT_NOT_FOUND, OUTPUT_FAILED
 */
export function writeReportFiles(
  bundles: readonly JudgedBundle[],
  { sarif, junit }: ReportFileOptions,
): void {
  if (sarif !== undefined) {
    const log = renderSarif(bundles, { version: packageVersion(), directory: process.cwd() });
    replaceFile(sarif, toJsonFile(log), REPORT_MODE);
  }
  if (junit !== undefined) replaceFile(junit, renderJunit(bundles), REPORT_MODE);
}
