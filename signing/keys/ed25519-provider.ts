import * as ed25519 from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';

// noble leaves the choice of SHA-512 to its user; set once here, so that every user of this module has it.
ed25519.hashes.sha512 = sha512;

export { ed25519 };
