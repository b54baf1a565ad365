export { openBundleSource } from './open-bundle-source.js';
export { readBundle } from './read-bundle.js';
export { writeBundle } from './write-bundle.js';
