import { type BpfMap, type MemoryMapping, u32Key } from '../../kernel/index.js';

/** The bytes of a data section in the kernel. */
export interface GlobalMemory {
  readonly isWritable: boolean;
  /** A copy. */
  read(byteOffset: number, byteSize: number): Uint8Array;
  write(byteOffset: number, bytes: Uint8Array): void;
}

/** Memory that programs and this process share: no system call for a read or a write. */
export function sharedMemory(mapping: MemoryMapping, isWritable: boolean): GlobalMemory {
  const whole = new Uint8Array(mapping.buffer);
  const bytes = () => {
    // Throws once the object is closed, and its memory with it.
    void mapping.buffer;
    return whole;
  };
  return {
    isWritable,
    read: (byteOffset, byteSize) => bytes().slice(byteOffset, byteOffset + byteSize),
    write: (byteOffset, value) => bytes().set(value, byteOffset),
  };
}

/**
 * The element of an array map that cannot be mapped. A write reads the whole section and writes it back: what a
 * program changes in between is lost, which only a mappable section avoids (one with a global variable in it).
 */
export function elementMemory(map: BpfMap, isWritable: boolean): GlobalMemory {
  const whole = () => {
    const bytes = new Uint8Array(map.definition.valueSize);
    map.lookup(u32Key(0), bytes);
    return bytes;
  };
  return {
    isWritable,
    read: (byteOffset, byteSize) => whole().slice(byteOffset, byteOffset + byteSize),
    write: (byteOffset, value) => {
      const bytes = whole();
      bytes.set(value, byteOffset);
      map.update(u32Key(0), bytes);
    },
  };
}
