import { VespidError } from '../../errors/index.js';

/**
 * Reads a body into memory, counting what really comes: `Content-Length` is only what the server says.
 *
 * @throws VespidError REGISTRY_ANSWER_TOO_LARGE as soon as one byte too many was said or sent
 */
export async function readBody(response: Response, maxBytes: number, url: URL): Promise<Uint8Array> {
  const said = Number(response.headers.get('content-length') ?? 0);
  if (said > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(url, maxBytes);
  }
  const { bytes, complete } = await readUpTo(response, maxBytes);
  if (!complete) throw tooLarge(url, maxBytes);
  return bytes;
}

/** The start of a body, for messages: what is beyond `maxBytes` is not read. */
export async function readBodyStart(response: Response, maxBytes: number): Promise<Uint8Array> {
  return (await readUpTo(response, maxBytes)).bytes;
}

async function readUpTo(
  { body }: Response,
  maxBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly complete: boolean }> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  // Leaving the loop cancels the body, and with it the connection.
  for await (const chunk of body ?? []) {
    const allowed = chunk.subarray(0, maxBytes - byteLength);
    chunks.push(allowed);
    byteLength += allowed.length;
    if (allowed.length < chunk.length) return { bytes: concatenate(chunks, byteLength), complete: false };
  }
  return { bytes: concatenate(chunks, byteLength), complete: true };
}

function concatenate(chunks: readonly Uint8Array[], byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge(url: URL, maxBytes: number): VespidError {
  return new VespidError(
    'REGISTRY_ANSWER_TOO_LARGE',
    `${url.host} sends more than the ${maxBytes} bytes expected of ${url.pathname}`,
    { hint: 'do not use this copy: the registry does not serve what was pushed, or is no registry' },
  );
}
