import { VespidError } from '../../errors/index.js';
import { addressOf } from '../system/libc.js';

/**
 * A `union bpf_attr` under construction (include/uapi/linux/bpf.h): fields are written at the byte offsets of
 * that header, pointers keep their target alive for as long as this object lives.
 */
export class Attributes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #targets: Uint8Array[] = [];

  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength);
    this.#view = new DataView(this.bytes.buffer);
  }

  u32(byteOffset: number, value: number): this {
    this.#view.setUint32(byteOffset, value, true);
    return this;
  }

  /** For descriptors that the header declares as `__s32`. */
  i32(byteOffset: number, value: number): this {
    this.#view.setInt32(byteOffset, value, true);
    return this;
  }

  u64(byteOffset: number, value: bigint): this {
    this.#view.setBigUint64(byteOffset, value, true);
    return this;
  }

  pointer(byteOffset: number, target: Uint8Array): this {
    this.#targets.push(target);
    return this.u64(byteOffset, addressOf(target));
  }

  /** The address of `target`, which is kept alive, for a pointer that stands elsewhere than in these bytes. */
  addressOf(target: Uint8Array): bigint {
    this.#targets.push(target);
    return addressOf(target);
  }

  /** A `char[BPF_OBJ_NAME_LEN]`: 15 bytes of [A-Za-z0-9_.] and a NUL; anything else becomes `_`. */
  objectName(byteOffset: number, name: string): this {
    const clean = name.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, 15);
    this.bytes.set(new TextEncoder().encode(clean), byteOffset);
    return this;
  }

  /** After the system call: until here the garbage collector may take no target. */
  letGo(): void {
    this.#targets.length = 0;
  }

  readU32(byteOffset: number): number {
    return this.#view.getUint32(byteOffset, true);
  }

  readU64(byteOffset: number): bigint {
    return this.#view.getBigUint64(byteOffset, true);
  }
}

/**
 * The bytes of a C string, NUL included.
 *
 * @throws VespidError TEXT_HAS_NUL: the kernel would take what is before it for the whole name
 */
export function cString(text: string): Uint8Array {
  if (text.includes('\0')) {
    throw new VespidError('TEXT_HAS_NUL', `${JSON.stringify(text)} has a NUL in it, and no name or path may`);
  }
  return new TextEncoder().encode(`${text}\0`);
}
