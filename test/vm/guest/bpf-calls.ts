import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Attributes, cString } from '../../../engine/kernel/commands/attributes.js';
import { tryBpf } from '../../../engine/kernel/commands/bpf-command.js';
import { OwnedFd } from '../../../engine/kernel/index.js';
import { errnoName } from '../../../engine/kernel/system/libc.js';
import { encodeTicketFacts, type TicketFacts } from '../../../lsm-hooks/index.js';
import { systemCall } from './system-calls.js';

/** Commands of enum bpf_cmd that the engine has no use for. */
const MAP_GET_FD_BY_ID = 14;

export interface RawLoad {
  readonly type: number;
  readonly attachType?: number;
  readonly license?: string;
  readonly instructions: Uint8Array;
}

export interface RawResult {
  /** `ok` or the error's name. */
  readonly result: string;
  /** The verifier's log; empty when the verifier was never asked. */
  readonly log: string;
}

/** BPF_PROG_LOAD once, with a log and without the second try that the engine makes. */
export function loadOnce({ type, attachType = 0, license = 'GPL', instructions }: RawLoad): RawResult {
  const log = new Uint8Array(16 * 1024);
  const attributes = new Attributes(144)
    .u32(0, type)
    .u32(4, instructions.byteLength / 8)
    .pointer(8, instructions)
    .pointer(16, cString(license))
    .u32(24, 1)
    .u32(28, log.byteLength)
    .pointer(32, log)
    .objectName(48, 'loaded_once')
    .u32(68, attachType);
  const result = tryBpf('PROG_LOAD', attributes);
  if ('value' in result) new OwnedFd(result.value).close();
  return {
    result: 'value' in result ? 'ok' : errnoName(result.errno),
    log: new TextDecoder().decode(log.subarray(0, log.indexOf(0))),
  };
}

export function factsOf({ type, attachType = 0, license = 'GPL' }: RawLoad): TicketFacts {
  return {
    programType: type,
    expectedAttachType: attachType,
    attachBtfId: 0,
    attachBtfObjectId: 0,
    hasTargetProgram: false,
    gplCompatible: license === 'GPL',
  };
}

/** The ticket digest by Node's own SHA-256. */
export function digestOf(load: RawLoad): Buffer {
  return createHash('sha256')
    .update(encodeTicketFacts(factsOf(load)))
    .update(load.instructions)
    .digest();
}

/** The ids of all maps or programs of the machine. */
export function bpfIds(kind: 'MAP' | 'PROG' | 'BTF'): number[] {
  const ids: number[] = [];
  for (;;) {
    const next = new Attributes(12).u32(0, ids.at(-1) ?? 0);
    if (!('value' in tryBpf(`${kind}_GET_NEXT_ID`, next))) return ids;
    ids.push(next.readU32(4));
  }
}

/** Opens a map by its id. */
export function openMap(id: number): OwnedFd {
  const fd = systemCall('bpf', MAP_GET_FD_BY_ID, new Attributes(12).u32(0, id).bytes, 12);
  assert.ok(typeof fd === 'number', `map ${id}: ${fd}`);
  return new OwnedFd(fd);
}

/** Sets an element of a map. */
export function updateMap(map: OwnedFd, key: Uint8Array, value: Uint8Array): void {
  const attributes = new Attributes(32).u32(0, map.fd).pointer(8, key).pointer(16, value);
  assert.ok('value' in tryBpf('MAP_UPDATE_ELEM', attributes));
}

/** The id of the newest map of that name. */
export function mapIdNamed(name: string): number {
  const found = bpfIds('MAP').filter((id) => {
    using map = openMap(id);
    const info = new Uint8Array(80);
    const attributes = new Attributes(16).u32(0, map.fd).u32(4, info.byteLength).pointer(8, info);
    assert.ok('value' in tryBpf('OBJ_GET_INFO_BY_FD', attributes));
    return new TextDecoder().decode(info.subarray(24, 40)).replace(/\0.*$/s, '') === name;
  });
  const id = found.at(-1);
  assert.ok(id !== undefined, `no map ${name}`);
  return id;
}
