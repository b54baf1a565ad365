import { stderr } from 'node:process';

/** Says what long work is at: lines on standard error, for people at a terminal only. */
export type SignProgress = (step: string) => void;

/** Whole lines: a passphrase or a PIN may be asked for between two of them. */
export function signProgress(isWanted: boolean): SignProgress {
  return isWanted && stderr.isTTY ? (step) => void stderr.write(`${step}\n`) : () => undefined;
}
