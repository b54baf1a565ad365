export { dockerCredentials } from './docker-config.js';
export { type PushProgress, type PushResult, pushBundle } from './push-bundle.js';
export { formatReference, parseReference, type Reference } from './reference.js';
export { RegistryBundle } from './registry-bundle.js';
export { RegistryClient } from './registry-client.js';
