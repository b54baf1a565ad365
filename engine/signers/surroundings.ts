/** What a signer needs of the process around it; given, so that tests need neither files nor a terminal. */
export interface Surroundings {
  /** Reads a file named on the command line. @throws VespidError INPUT_* */
  readonly readFile: (path: string) => { readonly bytes: Uint8Array };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks for a secret without echo; undefined where there is no terminal to ask at. */
  readonly ask: (question: string) => Promise<string | undefined>;
}
