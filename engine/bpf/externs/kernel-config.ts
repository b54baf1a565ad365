import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';

/** Options of a kernel by name, as the file has them: `y`, `m`, `n`, a number, a quoted string. */
export type KernelConfig = ReadonlyMap<string, string>;

/** Where the running kernel's configuration is, in libbpf's order. */
export function kernelConfigPaths(): readonly string[] {
  return [`/boot/config-${release()}`, '/proc/config.gz'];
}

/** The running kernel's configuration, or undefined when no file has it. */
export function readKernelConfig(): KernelConfig | undefined {
  for (const path of kernelConfigPaths()) {
    const bytes = readIfThere(path);
    if (bytes !== undefined) return parseKernelConfig(unpacked(bytes).toString('utf8'));
  }
  return undefined;
}

/** Lines `CONFIG_NAME=value`; the first of a name counts. */
export function parseKernelConfig(text: string): KernelConfig {
  const config = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/^(CONFIG_\w+)=(.+)$/gm)) {
    if (!config.has(name)) config.set(name, value);
  }
  return config;
}

/** RFC 1952, section 2.3.1. */
function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
