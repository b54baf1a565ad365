import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs skopeo, an OCI client that shares no code with ours, and gives its standard output. */
export async function skopeo(...args: readonly string[]): Promise<string> {
  // Debian's policy file may be absent; where images come from is not what is tested here.
  const { stdout } = await run('skopeo', ['--insecure-policy', ...args], { maxBuffer: 2 ** 26 });
  return stdout;
}
