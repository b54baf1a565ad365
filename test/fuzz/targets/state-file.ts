import { decodeNodeMemory, encodeNodeMemory } from '../../../signing/index.js';
import { ALICE, BOB } from '../../signing/trust/sample-signed-policy.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateJson } from '../mutation/mutate-json.js';

const MEMORY = encodeNodeMemory({
  trustPolicy: {
    version: 7,
    digest: `sha256:${'ef'.repeat(32)}`,
    rootKeys: { threshold: 2, keys: [ALICE.publicKey, BOB.publicKey] },
  },
  bundles: new Map([
    ['starter', { version: '1.4.0', digest: `sha256:${'ab'.repeat(32)}` }],
    ['edge', { version: '2.0.0-rc.1', digest: `sha256:${'cd'.repeat(32)}` }],
  ]),
});

/** What a node remembers. Whatever can be read must be the one form of what it says. */
export const stateFile: FuzzTarget = {
  name: 'state-file',
  codes: ['TRUST_STATE_CORRUPT'],
  seeds: () => [MEMORY],
  mutate: mutateJson,
  run: (input) => {
    const again = encodeNodeMemory(decodeNodeMemory(input, 'state.json'));
    if (Buffer.compare(again, input) !== 0) throw new Error('two files say the same');
  },
};
