/** enum bpf_core_relo_kind of include/uapi/linux/bpf.h, by number. */
export const CORE_KINDS = [
  'field-byte-offset',
  'field-byte-size',
  'field-exists',
  'field-signed',
  'field-left-shift',
  'field-right-shift',
  'type-id-local',
  'type-id-target',
  'type-exists',
  'type-size',
  'enum-value-exists',
  'enum-value',
  'type-matches',
] as const;

export type CoreKind = (typeof CORE_KINDS)[number];

/** What the access string of a kind leads to. */
export function subjectOf(kind: CoreKind): 'field' | 'type' | 'enum-value' {
  if (kind.startsWith('field-')) return 'field';
  return kind.startsWith('type-') ? 'type' : 'enum-value';
}
