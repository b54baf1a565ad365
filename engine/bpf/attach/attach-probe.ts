import { readFileSync } from 'node:fs';
import {
  attachKprobe,
  attachKprobeMulti,
  attachSystemCall,
  attachUprobe,
  attachUprobeMulti,
} from '../../kernel/index.js';
import type { LoadedProgram } from '../programs/loaded-program.js';
import type { AttachOptions } from './attach-options.js';
import { cannotAttach } from './cannot-attach.js';
import { resolveExecutable } from './executable-path.js';
import { matchesPattern } from './name-pattern.js';

/** `function`, or `function+0x10`: bytes from its start. */
const PLACE = /^([\w.$]+)(?:\+(0x[\da-f]+|\d+))?$/i;
/** `path:place`; a path may hold colons. */
const UPROBE = /^(.+):([^:]+)$/;

/**
 * Attaches a program of type kprobe, by its section: to functions of the kernel or of an executable, one or many.
 *
 * @throws VespidError ATTACH_UNSUPPORTED, SYMBOL_NOT_FOUND, KERNEL_*
 */
export function attachProbe(loaded: LoadedProgram, target: string, options: AttachOptions): Disposable {
  const kind = loaded.section.replace(/^\?/, '').replace(/\/.*$/s, '').replace(/\.s$/, '');
  const isReturn = /^[ku]ret/.test(kind);
  const { program } = loaded;
  const probe = { isReturn, ...(options.cookie === undefined ? {} : { cookie: options.cookie }) };
  switch (kind) {
    case 'kprobe':
    case 'kretprobe':
      return attachKprobe(program, placeOf(loaded, target), probe);
    case 'ksyscall':
    case 'kretsyscall':
      return attachSystemCall(program, target, probe);
    case 'kprobe.multi':
    case 'kretprobe.multi':
    case 'kprobe.session': {
      const isSession = kind === 'kprobe.session';
      return attachKprobeMulti(
        program,
        { functions: probeableFunctions(loaded, target) },
        { isReturn, isSession },
      );
    }
    case 'uprobe':
    case 'uretprobe': {
      const { path, place } = splitUprobe(loaded, target);
      const pid = options.pid === undefined ? {} : { pid: options.pid };
      return attachUprobe(program, { path, ...placeOf(loaded, place) }, { ...probe, ...pid });
    }
    case 'uprobe.multi':
    case 'uretprobe.multi':
    case 'uprobe.session': {
      const { path, place } = splitUprobe(loaded, target);
      const pid = options.pid === undefined ? {} : { pid: options.pid };
      const isSession = kind === 'uprobe.session';
      return attachUprobeMulti(program, { path, functions: [place] }, { isReturn, isSession, ...pid });
    }
    default:
      throw cannotAttach(loaded, `${kind} is not attached by its section`, 'attach it with attachUprobe');
  }
}

function placeOf(
  loaded: LoadedProgram,
  text: string,
): { readonly function: string; readonly offset: number } {
  const [, name, offset = '0'] = PLACE.exec(text) ?? [];
  if (name !== undefined) return { function: name, offset: Number(offset) };
  throw cannotAttach(loaded, `${text} is no function`, 'write it as function or function+0x10');
}

function splitUprobe(
  loaded: LoadedProgram,
  target: string,
): { readonly path: string; readonly place: string } {
  const [, path, place] = UPROBE.exec(target) ?? [];
  if (path !== undefined && place !== undefined) return { path: resolveExecutable(path), place };
  throw cannotAttach(loaded, `${target} names no function of a file`, 'write it as path:function');
}

const PROBEABLE = '/sys/kernel/tracing/available_filter_functions';

/** Functions that match a pattern of `*` and `?`; a name without those is taken as it is. */
function probeableFunctions(loaded: LoadedProgram, pattern: string): string[] {
  if (!/[*?]/.test(pattern)) return [pattern];
  const names = readProbeable(loaded)
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name !== '' && matchesPattern(name, pattern));
  if (names.length > 0) return [...new Set(names)];
  throw cannotAttach(loaded, `no function of the kernel matches ${pattern}`, `see ${PROBEABLE}`);
}

function readProbeable(loaded: LoadedProgram): string {
  try {
    return readFileSync(PROBEABLE, 'utf8');
  } catch {
    throw cannotAttach(loaded, `${PROBEABLE} cannot be read`, 'mount -t tracefs tracefs /sys/kernel/tracing');
  }
}
