import { Attributes } from '../commands/attributes.js';
import { objectInfo } from '../commands/object-commands.js';

const UTF8 = new TextDecoder();

/** Text up to the first NUL of a fixed field. */
export function fixedString(field: Uint8Array): string {
  const end = field.indexOf(0);
  return UTF8.decode(end === -1 ? field : field.subarray(0, end));
}

/** `struct bpf_map_info` of include/uapi/linux/bpf.h. */
export interface MapInfo {
  readonly type: number;
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** At most 15 bytes: the kernel keeps no more. */
  readonly name: string;
  readonly interfaceIndex: number;
  /** Type of a struct_ops value in kernel BTF, 0 for others. */
  readonly vmlinuxValueTypeId: number;
  /** 0 when the map was made without BTF. */
  readonly btfId: number;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  readonly mapExtra: bigint;
}

/** Up to `map_extra`; kernel 6.18 has `hash` behind it, which a signed loader asks for. */
const MAP_INFO_BYTES = 88;

/** @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED */
export function mapInfo(fd: number, subject: string): MapInfo {
  const info = new Attributes(MAP_INFO_BYTES);
  objectInfo(fd, info, subject);
  return {
    type: info.readU32(0),
    id: info.readU32(4),
    keySize: info.readU32(8),
    valueSize: info.readU32(12),
    maxEntries: info.readU32(16),
    flags: info.readU32(20),
    name: fixedString(info.bytes.subarray(24, 40)),
    interfaceIndex: info.readU32(40),
    vmlinuxValueTypeId: info.readU32(44),
    btfId: info.readU32(64),
    keyTypeId: info.readU32(68),
    valueTypeId: info.readU32(72),
    mapExtra: info.readU64(80),
  };
}
