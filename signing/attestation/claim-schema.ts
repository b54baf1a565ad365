/** JSON Schemas of what several claims hold; a claim is text for people and machines of any kind. */

/** Printable ASCII: a statement cannot fool a terminal or a reader of two alphabets. */
export const TEXT = { type: 'string', maxLength: 256, pattern: '^[\\x20-\\x7e]*$' };

/** A symbol, a map or a kernel function, as compilers write them. */
export const IDENTIFIER = { type: 'string', pattern: '^[A-Za-z_.$][A-Za-z0-9_.$]{0,255}$' };

/** Largest value of a map's 32-bit sizes in union bpf_attr. */
export const U32 = { type: 'integer', minimum: 0, maximum: 0xffff_ffff };

/** Lower-case hexadecimal. */
export const SHA256 = { type: 'string', pattern: '^[0-9a-f]{64}$' };

/** Each name once. */
export function nameSet(items: object, maxItems: number): object {
  return { type: 'array', maxItems, uniqueItems: true, items };
}

/** An object with these members, all of them, and no other. */
export function closedObject(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}
