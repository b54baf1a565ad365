import { constants } from 'node:buffer';
import { errnoName, type SystemCallResult } from '../system/libc.js';

/**
 * From 64 KiB, where most logs fit, up to the largest that the kernel takes, UINT_MAX >> 2 (kernel/bpf/log.c), or
 * that a string of ours can hold.
 */
const LOG_BYTES = { first: 64 * 1024, most: Math.min(0x3fff_ffff, constants.MAX_STRING_LENGTH) };

/** One try of a command that writes a log, and how long the kernel says that the whole log is (0: not said). */
export type LoggedAttempt = (log: Uint8Array) => {
  readonly result: SystemCallResult;
  readonly logTrueSize: number;
};

export interface LoggedResult {
  readonly result: SystemCallResult;
  readonly log: string;
}

/**
 * Runs a command with a log that is large enough: one that was cut (ENOSPC) is asked for again, with the size that
 * the kernel says (6.4 and later) or four times the last.
 */
export function withWholeLog(attempt: LoggedAttempt): LoggedResult {
  for (let byteLength = LOG_BYTES.first; ; ) {
    const log = new Uint8Array(byteLength);
    const { result, logTrueSize } = attempt(log);
    const isWhole = logTrueSize > 0 && logTrueSize <= byteLength;
    const isCut = 'errno' in result && errnoName(result.errno) === 'ENOSPC' && !isWhole;
    if (!isCut || byteLength === LOG_BYTES.most) return { result, log: textOf(log) };
    const wanted = logTrueSize > byteLength ? logTrueSize : byteLength * 4;
    byteLength = Math.min(wanted, LOG_BYTES.most);
  }
}

function textOf(log: Uint8Array): string {
  const end = log.indexOf(0);
  return new TextDecoder().decode(end === -1 ? log : log.subarray(0, end));
}
