// What a host said when a document was fetched, by address: with it the host is asked next time whether the
// document has changed, instead of for the document.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { isCode, replaceFile } from "./content-store.ts";

const KNOWN_PAGE = z.object({
  address: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  sha256: z.string(),
  bytes: z.number(),
  file: z.string(),
});

/** A document that was fetched from an address, and is in the store. */
export type KnownPage = z.infer<typeof KNOWN_PAGE>;

/** What is known of an address; undefined when nothing is, or when the document is not in the store any more. */
export async function findKnownPage(out: string, address: string): Promise<KnownPage | undefined> {
  try {
    const page = KNOWN_PAGE.parse(JSON.parse(await readFile(toPath(out, address), "utf8")));
    const { size } = await stat(join(out, page.file));
    return page.address === address && size === page.bytes ? page : undefined;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Keeps what is known of an address. */
export async function keepKnownPage(out: string, page: KnownPage): Promise<void> {
  await replaceFile(toPath(out, page.address), `${JSON.stringify(page)}\n`);
}

/** The headers that ask whether it has changed. */
export function toConditions(page: KnownPage | undefined): Readonly<Record<string, string>> {
  return {
    ...(page?.etag !== undefined && { "if-none-match": page.etag }),
    ...(page?.lastModified !== undefined && { "if-modified-since": page.lastModified }),
  };
}

function toPath(out: string, address: string): string {
  const name = createHash("sha256").update(address).digest("hex").slice(0, 32);
  return join(out, "known", `${name}.json`);
}
