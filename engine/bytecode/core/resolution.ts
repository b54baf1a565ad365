/** What an instruction must be told about the running kernel's types. */
export type CoreResolution =
  | {
      readonly outcome: 'value';
      /** The value in the object's own types, which the instruction holds now. */
      readonly localValue: bigint;
      readonly targetValue: bigint;
      /** Whether the instruction must hold `localValue`: not where compilers and BTF may differ. */
      readonly mustHoldLocalValue: boolean;
      /** Sizes of the field, 0 where no load or store of it is meant. */
      readonly localByteSize: number;
      readonly targetByteSize: number;
      /** Whether a load may be made as wide as the kernel's field: pointers and unsigned integers only. */
      readonly canChangeSize: boolean;
    }
  /** The kernel has no such thing: the instruction must never run. */
  | { readonly outcome: 'poison'; readonly reason: string };

/** A value that is not the place of a field to load or store. */
export function plainValue(
  localValue: bigint,
  targetValue: bigint,
  mustHoldLocalValue: boolean,
): CoreResolution {
  return {
    outcome: 'value',
    localValue,
    targetValue,
    mustHoldLocalValue,
    localByteSize: 0,
    targetByteSize: 0,
    canChangeSize: true,
  };
}
