import { existsSync, readFileSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';

const PATH = '/proc/kallsyms';
const MODULES_PATH = '/proc/modules';
const NEWLINE = 0x0a;

/** /proc/kallsyms, and the modules that were loaded when it was read. */
let symbols: { readonly text: Buffer; readonly modules: string } | undefined;

/**
 * The address of a kernel symbol, for typeless `__ksym` externs and addresses of probes. /proc/kallsyms is read at
 * the first call and kept as it is until a module comes or goes: some ten megabytes, of which a program needs a few
 * lines.
 *
 * @returns undefined when the kernel has no such symbol; several of one name give the first
 * @throws VespidError KERNEL_SYMBOLS_HIDDEN when all addresses read as 0 (`kptr_restrict`)
 */
export function kernelSymbolAddress(name: string): bigint | undefined {
  const modules = loadedModules();
  if (symbols?.modules !== modules) symbols = { text: readFileSync(PATH), modules };
  return symbolAddress(symbols.text, name);
}

/** Name and address of each: `nf_conntrack 188416 1 nf_nat, Live 0xffffffffc0a5e000`. */
function loadedModules(): string {
  // A kernel that cannot load modules has no list of them.
  if (!existsSync(MODULES_PATH)) return '';
  return readFileSync(MODULES_PATH, 'latin1').replaceAll(/^(\S+) .* (0x[0-9a-f]+).*$/gm, '$1 $2');
}

/** Lines `ffffffff81000000 T _text`, those of modules with `\t[module]` behind. */
export function symbolAddress(text: Buffer, name: string): bigint | undefined {
  const wanted = Buffer.from(` ${name}`);
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const behind = text[at + wanted.byteLength];
    if (behind !== NEWLINE && behind !== 0x09) continue;
    const lineStart = text.lastIndexOf(NEWLINE, at) + 1;
    const [address = ''] = text.toString('latin1', lineStart, at).split(' ');
    const value = BigInt(`0x${address}`);
    if (value !== 0n || !isHidden(text)) return value;
    throw new VespidError('KERNEL_SYMBOLS_HIDDEN', `the address of ${name} reads as 0 in ${PATH}`, {
      hint: 'run as root with kernel.kptr_restrict at most 1 and CAP_SYSLOG',
      details: { symbol: name },
    });
  }
  return undefined;
}

/** Per-CPU symbols may lie at 0; only when `_text` does too is nothing told. */
function isHidden(text: Buffer): boolean {
  const line = /^([0-9a-f]+) \w _?text$/m.exec(text.toString('latin1', 0, 64 * 1024));
  return line === null || BigInt(`0x${line[1]}`) === 0n;
}
