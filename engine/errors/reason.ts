/** What something that was thrown says of itself, for the message of a typed error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the first cause of an error says, where those around it are only a library's summaries of it. */
export function innermostReasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? innermostReasonOf(cause) : reasonOf(error);
}
