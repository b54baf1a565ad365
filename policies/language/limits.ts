/**
 * What a policy file may be at most. Each limit stops a cost that hostile input could otherwise run up, and
 * each is far above what a person writes.
 */

/** Bytes of a policy file. The worst text (all of it faults) costs the YAML library some 5 µs per byte. */
export const MAX_FILE_BYTES = 256 * 1024;

/** Policies (YAML documents) in one file: an operator reads a file whole. */
export const MAX_POLICIES_PER_FILE = 100;

/** How deep collections nest. The form itself has four levels; recursion over the document stays shallow. */
export const MAX_YAML_DEPTH = 16;

/** Nodes of one document after aliases are expanded: this is what stops an alias bomb. */
export const MAX_YAML_NODES = 50_000;

/** Rules of one policy: an event's record has 64 bits for the rules that matched. */
export const MAX_RULES_PER_POLICY = 64;

/** UTF-16 units of a condition: a list of a thousand paths fits. */
export const MAX_CONDITION_LENGTH = 65_536;

/** Nodes of a condition's syntax tree. Type-checking recurses over a chain of `||`, so this bounds the stack. */
export const MAX_CONDITION_NODES = 4096;

/** How deep parentheses, lists, calls and `?:` nest in a condition: the parser recurses. */
export const MAX_CONDITION_DEPTH = 64;

/** Constants in one list: beyond this a set belongs into data of its own, not into a condition. */
export const MAX_LIST_LENGTH = 1000;

/** UTF-16 units of an error's message: it quotes the file, which may hold a key of a hundred thousand. */
export const MAX_MESSAGE_LENGTH = 400;
