import { CONFIG } from '../../lsm-hooks/index.js';
import type { ConstantDefinition } from '../bytecode/index.js';
import type { Cgroup } from '../kernel/index.js';

/** The bytes of a read-only global: its members in order, little-endian, with defaults where `values` says nothing. */
export function encodeConstant(
  definition: ConstantDefinition,
  values: Readonly<Record<string, bigint>>,
): Uint8Array {
  const byteLength = definition.members.reduce((sum, member) => sum + member.byteSize, 0);
  const bytes = new Uint8Array(byteLength);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { name, byteSize, value: byDefault } of definition.members) {
    const value = values[name] ?? byDefault;
    if (byteSize === 8) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(value), true);
    at += byteSize;
  }
  return bytes;
}

/** `vespid_config`: the scope, and the cookie that marks this object's records. */
export function encodeConfig(config: {
  readonly scope: Cgroup | undefined;
  readonly cookie: number;
}): Uint8Array {
  return encodeConstant(CONFIG, {
    scope_cgroup_id: config.scope?.id ?? 0n,
    scope_level: BigInt(config.scope?.level ?? 0),
    program_cookie: BigInt(config.cookie),
  });
}
