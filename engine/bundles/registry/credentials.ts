/** What a user may present to one registry. `source` says where it was found, for messages; never the secret itself. */
export type Credentials =
  | {
      readonly kind: 'password';
      readonly username: string;
      readonly password: string;
      readonly source: string;
    }
  /** An OAuth2 refresh token (docker's `identitytoken`): the token server changes it for an access token. */
  | { readonly kind: 'refresh-token'; readonly token: string; readonly source: string }
  /** A ready access token (docker's `registrytoken`). */
  | { readonly kind: 'access-token'; readonly token: string; readonly source: string };

/** Finds the credentials for a registry, or undefined: then the client is anonymous. */
export type FindCredentials = (registry: string) => Promise<Credentials | undefined>;

/** The texts that must never be shown: what a registry says in an error may repeat what it was sent. */
export function secretsOf(credentials: Credentials | undefined): readonly string[] {
  if (credentials === undefined) return [];
  if (credentials.kind !== 'password') return [credentials.token];
  return [credentials.password, encodeBasic(credentials.username, credentials.password)];
}

/** RFC 7617 section 2: user and password as UTF-8 in base64. */
export function encodeBasic(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
}
