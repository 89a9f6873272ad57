// Fetches a document into a part: a file that nobody takes for the document. Only a 200 of the right type and size
// becomes one; a part is whole and on the disk when this returns, and gone when it throws.
import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { PermanentError, TransientError } from "millrace";
import { toHttpError } from "../net/client.ts";
import type { Answer, Client } from "../net/client.ts";
import { hasType } from "../resolve/chain.ts";
import { toConditions } from "./known-page.ts";
import type { KnownPage } from "./known-page.ts";

/** What is fetched, and how far it may go. */
export interface FetchOptions {
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly type: string;
  readonly bytesMax: number;
  /** Where the part goes. */
  readonly part: string;
  readonly known: KnownPage | undefined;
}

/** What came of it. */
export type Fetched =
  | { readonly kind: "forbidden" }
  | { readonly kind: "not-modified" }
  | {
      readonly kind: "fetched";
      readonly bytes: number;
      readonly etag?: string;
      readonly lastModified?: string;
    };

/** Fetches. Throws an HttpError for any other status, a PermanentError for what is no such document. */
export async function fetchPart(location: string, options: FetchOptions): Promise<Fetched> {
  const { client, signal, known } = options;
  const visit = await client.visit<Fetched>(location, {
    method: "GET",
    signal,
    headers: toConditions(known),
    read: (answer) => readAnswer(answer, options),
  });
  return visit.kind === "answered" ? visit.value : visit;
}

async function readAnswer(answer: Answer, options: FetchOptions): Promise<Fetched> {
  const { status, headers } = answer;
  if (status === 304 && options.known !== undefined) return { kind: "not-modified" };
  // An error page has a body too; it is never a document. Nor is a piece of one (206).
  if (status >= 400) throw toHttpError("GET", answer);
  if (status !== 200) {
    throw new PermanentError(`"${answer.url}" answered ${status}, which is no whole document.`);
  }
  checkHeaders(answer, options);
  const bytes = await writePart(answer, options);
  const expected = headers["content-length"];
  if (expected !== undefined && Number(expected) !== bytes) {
    await rm(options.part, { force: true });
    throw new TransientError(`size-mismatch: "${answer.url}" gave ${bytes} of ${expected} bytes.`);
  }
  const { etag, "last-modified": lastModified } = headers;
  return {
    kind: "fetched",
    bytes,
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

function checkHeaders(answer: Answer, { type, bytesMax }: FetchOptions): void {
  const { headers, url } = answer;
  if (!hasType(answer, type)) {
    const given = headers["content-type"];
    throw new PermanentError(`unexpected-ct: "${url}" is ${given}, expected ${type}.`);
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    throw new PermanentError(`unexpected-encoding: "${url}" is packed as ${String(encoding)}.`);
  }
  if (Number(headers["content-length"] ?? 0) > bytesMax) throw tooLarge(url, bytesMax);
}

async function writePart(answer: Answer, { part, bytesMax }: FetchOptions): Promise<number> {
  await mkdir(dirname(part), { recursive: true });
  const file = await open(part, "w");
  try {
    let bytes = 0;
    for await (const piece of answer.body) {
      if (!(piece instanceof Uint8Array)) continue;
      bytes += piece.length;
      if (bytes > bytesMax) throw tooLarge(answer.url, bytesMax);
      await file.writeFile(piece);
    }
    await file.sync();
    return bytes;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function tooLarge(url: string, bytesMax: number): PermanentError {
  return new PermanentError(`too-large: "${url}" is larger than ${bytesMax} bytes.`);
}
