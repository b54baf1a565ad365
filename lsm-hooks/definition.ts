/** What a field holds, both in CEL and in an event record. */
export type FieldType =
  /** UTF-8 text of at most `maxBytes` bytes. CEL: string. */
  | { readonly kind: 'string'; readonly maxBytes: number }
  /** Unsigned integer. CEL: int. */
  | { readonly kind: 'int' }
  /** CEL: bool. */
  | { readonly kind: 'bool' }
  /** IPv4 or IPv6 address. CEL: string in canonical text form (RFC 5952), compared as bytes. */
  | { readonly kind: 'ip' }
  /** An integer with names, such as a protocol number. CEL: string, one of the names. */
  | { readonly kind: 'enum'; readonly values: Readonly<Record<string, number>> }
  /** Raw bytes of fixed length, such as a digest. Event only, rendered as lower-case hex. */
  | { readonly kind: 'bytes'; readonly byteLength: number };

export interface FieldDefinition {
  /** Dotted name, `file.path`: the name in CEL and the place in the event's JSON. */
  readonly name: string;
  readonly type: FieldType;
  readonly doc: string;
  readonly example: string;
  /** Read from memory that the caller can change while we look (a user-space buffer). */
  readonly callerControlled?: true;
  /** Appears in events but cannot stand in a condition. */
  readonly eventOnly?: true;
}

/** A semantic hook: what a policy names. How it attaches is the business of its attach candidates. */
export interface HookDefinition {
  /** `file.open` */
  readonly name: string;
  /** The number in the event record; never reused. */
  readonly id: number;
  readonly doc: string;
  readonly fields: readonly FieldDefinition[];
}

export type Effect = 'audit' | 'deny' | 'kill';

/** Weakest first; when several rules match, the strongest wins. */
export const EFFECTS: readonly Effect[] = ['audit', 'deny', 'kill'];
