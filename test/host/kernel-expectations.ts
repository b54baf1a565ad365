import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import type { Feature, FeatureProbe } from '../../engine/kernel/index.js';

/** Why the running kernel need not have a feature; undefined when it must. */
export function exemption(
  probe: FeatureProbe,
  kernel: {
    readonly release: string;
    readonly config: ReadonlyMap<string, string>;
    readonly trampolines: Feature;
  },
): string | undefined {
  if (!isAtLeast(kernel.release, probe.since)) return `kernel ${kernel.release} is older than ${probe.since}`;
  const unset = probe.config.find((option) => kernel.config.get(option) !== 'y');
  if (unset !== undefined) return `${unset} is ${kernel.config.get(unset) ?? 'not set'}`;
  // A class of host of its own: hardened guests that refuse every trampoline with EPERM, whatever their config.
  if (
    probe.onTrampoline === true &&
    !kernel.trampolines.available &&
    kernel.trampolines.reason.includes('EPERM')
  ) {
    return kernel.trampolines.reason;
  }
  return undefined;
}

/** `6.12.9-cloud-amd64` against `6.9`: by numbers. */
export function isAtLeast(kernelRelease: string, since: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/).slice(0, 2).map(Number);
  const [major = 0, minor = 0] = numbers(kernelRelease);
  const [sinceMajor = 0, sinceMinor = 0] = numbers(since);
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** The running kernel's own account of its options: `CONFIG_NET` to `y`, `m`, a number or a string. */
export function runningConfig(): ReadonlyMap<string, string> {
  const text = existsSync('/proc/config.gz')
    ? gunzipSync(readFileSync('/proc/config.gz')).toString()
    : readFileSync(`/boot/config-${release()}`, 'utf8');
  return new Map(
    [...text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}
