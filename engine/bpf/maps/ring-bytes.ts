const MAX_U32 = 0xffff_ffff;

/**
 * The size that a ring buffer gets for the size that an object asks for: the kernel takes only a power of two of
 * whole pages, so the next larger one is meant (libbpf's rule). 0 stays 0, for the kernel to refuse.
 */
export function ringBytes(askedBytes: number, pageBytes: number): number {
  if (askedBytes === 0) return 0;
  for (let byteSize = pageBytes; byteSize <= MAX_U32; byteSize *= 2) {
    if (byteSize >= askedBytes) return byteSize;
  }
  return askedBytes;
}
