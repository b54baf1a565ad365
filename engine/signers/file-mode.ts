import { statSync } from 'node:fs';

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

/** What the owner of a secret file should know about it. A pipe has no mode to speak of. */
export function warnIfOthersCanRead(path: string): string[] {
  const status = statSync(path);
  if (!status.isFile() || (status.mode & OTHERS) === 0) return [];
  const octal = (status.mode & 0o777).toString(8).padStart(4, '0');
  return [`${path} can be read by others than its owner (mode ${octal}); chmod 600 it`];
}
