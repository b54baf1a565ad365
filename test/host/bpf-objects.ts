import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type ObjectKind = 'prog' | 'map' | 'link' | 'btf';

export interface HeldObject {
  readonly kind: ObjectKind;
  readonly id: number;
}

const LINE = /^(prog|map|link|btf)_id:\s+(\d+)$/;

/** What this process holds in the kernel, by the ids in /proc/self/fdinfo. A link names its program, too. */
export function heldObjects(): HeldObject[] {
  const held = new Map<string, HeldObject>();
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    for (const line of fdInfo(fd).split('\n')) {
      const [, kind, id] = LINE.exec(line) ?? [];
      // The pattern lets only these kinds through.
      if (kind !== undefined) held.set(`${kind} ${id}`, { kind: kind as ObjectKind, id: Number(id) });
    }
  }
  return [...held.values()];
}

/** Empty for the descriptor of the directory itself, which is gone by now. */
function fdInfo(fd: string): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    return '';
  }
}

/** Those that bpftool still finds. The kernel frees a program some time after its last descriptor is closed. */
export async function survivors(objects: readonly HeldObject[], timeoutMs = 5_000): Promise<HeldObject[]> {
  const giveUpAt = Date.now() + timeoutMs;
  for (let left = [...objects]; ; await sleep(50)) {
    left = left.filter(({ kind, id }) => spawnSync('bpftool', [kind, 'show', 'id', String(id)]).status === 0);
    if (left.length === 0 || Date.now() > giveUpAt) return left;
  }
}
