export { openBundleSource } from './open-bundle-source.js';
export { receiveBundle } from './receive-bundle.js';
export { RecordingBundle } from './recording-bundle.js';
export { writeBundle } from './write-bundle.js';
