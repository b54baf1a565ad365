import { createHash } from 'node:crypto';
import * as ed25519 from '@noble/ed25519';

// noble leaves the choice of SHA-512 to its user; set once here, so that every user of this module has it. Node's is
// native: a statement over a hundred programs has half a megabyte, which JavaScript hashes in 30 ms, cold.
ed25519.hashes.sha512 = (message) => Uint8Array.from(createHash('sha512').update(message).digest());

export { ed25519 };
