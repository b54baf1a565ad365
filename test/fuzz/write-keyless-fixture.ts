/** Writes the attestation and the trusted root that the fuzzer begins with: `node dist/test/fuzz/write-keyless-fixture.js`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../../signing/index.js';
import { packageRoot } from '../bench/package-root.js';
import { SigstoreInstance } from '../signing/attestation/sigstore-instance.js';

const folder = join(packageRoot(), 'test/fixtures/fuzz');
const instance = await SigstoreInstance.start();
const bundle = await instance.timestamp(await instance.attest());
writeFileSync(join(folder, 'keyless-bundle.json'), canonicalJson(bundle));
writeFileSync(join(folder, 'keyless-trusted-root.json'), canonicalJson(instance.trustedRoot));
