// The four ways to a document, in the order in which they are tried. Each turns what is known of a document into an
// address where it may lie, or into nothing; whether it does lie there is for `chain.ts` to find out.
import { PermanentError } from "millrace";
import * as z from "zod";
import { readText, toHttpError } from "../net/client.ts";
import type { Answer, Client, Hold } from "../net/client.ts";
import { isPassing } from "../net/http-error.ts";
import type { Artifact } from "./artifact.ts";

/** What resolvers ask with. */
export interface Desk {
  readonly client: Client;
  readonly signal: AbortSignal;
  /** Addresses of the services, without a slash at the end; undefined: there is none. */
  readonly metadata: string | undefined;
  readonly archive: string | undefined;
  /** Held around every request. `resolver` is who asks, or null for the document's own host. */
  readonly hold: (resolver: ResolverName | null) => Hold;
}

/** Names of the resolvers, in order. */
export const RESOLVER_NAMES = ["direct", "metadata", "landing", "archive"] as const;

/** One of them. */
export type ResolverName = (typeof RESOLVER_NAMES)[number];

/** Where a document may lie, or which address robots.txt closes on the way; undefined: this way leads nowhere. */
export type Lead =
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "forbidden"; readonly url: string }
  | undefined;

/** Finds a lead. Throws what may pass, and what was not agreed. */
export type Resolver = (artifact: Artifact, desk: Desk) => Promise<Lead>;

/** The resolvers by name. */
export const RESOLVERS: Readonly<Record<ResolverName, Resolver>> = {
  direct: ({ url }) => Promise.resolve(toLead(url)),
  metadata: askMetadata,
  landing: readLanding,
  archive: askArchive,
};

async function askMetadata({ doi }: Artifact, desk: Desk): Promise<Lead> {
  if (doi === undefined || desk.metadata === undefined) return undefined;
  const address = `${desk.metadata}/works/${encodeURIComponent(doi)}`;
  const found = await fetchText(address, desk, "metadata");
  if (found?.kind !== "text") return found;
  return toLead(parseAnswer(found.text, z.object({ pdf: z.string() })).pdf);
}

async function askArchive({ url, doi }: Artifact, desk: Desk): Promise<Lead> {
  const wanted = url ?? doi;
  if (wanted === undefined || desk.archive === undefined) return undefined;
  const address = `${desk.archive}/lookup?of=${encodeURIComponent(wanted)}`;
  const found = await fetchText(address, desk, "archive");
  if (found?.kind !== "text") return found;
  return toLead(parseAnswer(found.text, z.object({ snapshot: z.string() })).snapshot);
}

async function readLanding({ landing }: Artifact, desk: Desk): Promise<Lead> {
  if (landing === undefined) return undefined;
  const found = await fetchText(landing, desk, null);
  if (found?.kind !== "text") return found;
  const link = findPdfLink(found.text);
  return link === undefined ? undefined : toLead(URL.parse(link, found.url)?.href);
}

function toLead(address: string | undefined): Lead {
  return address === undefined ? undefined : { kind: "address", address };
}

/** The document a page names: what it tells search engines about itself, else its first link to a PDF file. */
export function findPdfLink(page: string): string | undefined {
  const tags = page.match(/<(?:meta|a)\s[^<>]{1,2000}>/gi) ?? [];
  const metas = tags.filter((tag) => readAttribute(tag, "name") === "citation_pdf_url");
  const named = metas.map((tag) => readAttribute(tag, "content")).find(Boolean);
  if (named !== undefined) return named;
  const links = tags.map((tag) => readAttribute(tag, "href") ?? "");
  return links.find((link) => /\.pdf(?:[?#]|$)/i.test(link));
}

function readAttribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "i").exec(tag);
  return (found?.[1] ?? found?.[2])?.replaceAll("&amp;", "&").trim();
}

const TEXT_BYTES_MAX = 1024 * 1024;

type Text = { readonly kind: "text"; readonly url: string; readonly text: string };
type NoText = { readonly kind: "forbidden"; readonly url: string } | undefined;

/** The text at an address; undefined where there is none for us. Throws what may pass. */
async function fetchText(
  address: string,
  { client, signal, hold }: Desk,
  resolver: ResolverName | null,
): Promise<Text | NoText> {
  const read = async (answer: Answer): Promise<Text | undefined> => {
    if (isPassing(answer.status)) throw toHttpError("GET", answer);
    if (answer.status !== 200) return undefined;
    return { kind: "text", url: answer.url, text: await readText(answer, TEXT_BYTES_MAX) };
  };
  const visit = await client.visit(address, { method: "GET", signal, hold: hold(resolver), read });
  return visit.kind === "answered" ? visit.value : visit;
}

function parseAnswer<T>(text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new PermanentError(`a resolver's answer is not what was agreed: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}
