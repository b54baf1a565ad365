// A process of its own, because what is measured is the first time: nothing that runs here ran before.

import { readFileSync } from 'node:fs';
import { openBundleSource } from '../../../engine/bundles/index.js';
import { parseTrustPolicy } from '../../../signing/index.js';
import { verifyOnce } from './verify-once.js';

const [bundlePath = '', trustPath = ''] = process.argv.slice(2);
const trust = parseTrustPolicy(readFileSync(trustPath, 'utf8'), trustPath, (path) =>
  readFileSync(path, 'utf8'),
);
const source = await openBundleSource(bundlePath);
const files = new Map<string, Uint8Array>();
for (const path of (await source.list()).keys()) files.set(path, await source.read(path));
process.stdout.write(JSON.stringify(await verifyOnce(files, trust)));
