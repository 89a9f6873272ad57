// What the stages do, one function each: the work of the folders beside this file, tied to a run's folder and to
// the errors the engine understands. Which stage needs which is said in pipeline.ts. All of them may be repeated.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { skip } from "millrace";
import type { Context, Settled, Skip } from "millrace";
import { meetFault, parseFaults } from "../fault/fault.ts";
import { keepRecord, toRecord } from "./manifest/record.ts";
import type { ManifestRecord } from "./manifest/record.ts";
import type { Artifact } from "./resolve/artifact.ts";
import { resolveArtifact } from "./resolve/chain.ts";
import type { Plan } from "./resolve/chain.ts";
import { holdFor } from "./resources.ts";
import type { Web } from "./settings.ts";
import { adoptPart, toFileName } from "./store/content-store.ts";
import { fetchPart } from "./store/fetch-part.ts";
import { findKnownPage, keepKnownPage } from "./store/known-page.ts";
import { verifyFile } from "./store/verify-file.ts";

interface Basics {
  readonly source: Artifact;
  readonly web: Web;
}

async function meetFaults({ source, web }: Basics, context: Context): Promise<void> {
  if (web.faults === undefined) return;
  const { stage, attempt, dir, signal } = context;
  const faults = parseFaults(await readFile(web.faults, "utf8"));
  await meetFault(faults, { stage, attempt, dir, signal, item: { key: source.id } });
}

/** A plan, and the attempts it took. */
export interface Resolved extends Plan {
  readonly attempts: number;
}

/** Where the document lies. Skipped where manners or policy keep us from every place it lies at. */
export async function resolve(needs: Basics, context: Context): Promise<Resolved | Skip> {
  await meetFaults(needs, context);
  const { source, web } = needs;
  const { client, metadata, archive, bytesMax } = web;
  const desk = {
    client,
    metadata,
    archive,
    signal: context.signal,
    hold: holdFor.bind(undefined, context),
  };
  const resolution = await resolveArtifact(source, desk, { bytesMax });
  if (resolution.kind === "skipped") return skip(resolution.reason);
  return { ...resolution.plan, attempts: context.attempt };
}

/** A document on the disk that nobody may take for one yet; or one that is in the store and has not changed. */
export type Download = {
  readonly attempts: number;
  readonly bytes: number;
  readonly location: string;
} & (
  | {
      readonly kind: "fetched";
      readonly part: string;
      readonly etag?: string;
      readonly lastModified?: string;
    }
  | { readonly kind: "not-modified"; readonly sha256: string; readonly file: string }
);

/** Fetches the document, if the host says that it has changed since the last time. */
export async function download(
  needs: Basics & { readonly plan: Resolved },
  context: Context,
): Promise<Download | Skip> {
  await meetFaults(needs, context);
  const { source, web, plan } = needs;
  const { location } = plan;
  const { client, out, bytesMax } = web;
  const { signal, attempt: attempts, idempotencyKey } = context;
  const known = await findKnownPage(out, location);
  // Of this process and attempt alone: a worker that lost its run may still be writing to its own.
  const name = `${idempotencyKey}-${attempts}-${process.pid}.part`;
  const part = join("parts", name);
  const options = { client, signal, type: source.type, bytesMax, part: join(out, part), known };
  const fetched = await fetchPart(location, options);
  if (fetched.kind === "forbidden") return skip("robots");
  if (fetched.kind === "fetched") return { ...fetched, attempts, part, location };
  if (known === undefined) throw new Error("not modified, but nothing is known");
  const { sha256, bytes, file } = known;
  return { kind: "not-modified", attempts, bytes, location, sha256, file };
}

/** A document that is what it should be. */
export interface Checked {
  readonly sha256: string;
  readonly bytes: number;
}

/** Looks at the file: mark, size, digest. Of what has not changed, at the file in the store. */
export async function verify(
  needs: Basics & { readonly got: Download },
  context: Context,
): Promise<Checked> {
  await meetFaults(needs, context);
  const { source, web, got } = needs;
  const isFetched = got.kind === "fetched";
  const path = join(web.out, isFetched ? got.part : got.file);
  const sha256 = source.sha256 ?? (isFetched ? undefined : got.sha256);
  return verifyFile(path, { type: source.type, bytes: got.bytes, sha256 });
}

/** A document in the store. */
export interface Kept {
  readonly file: string;
  readonly isNew: boolean;
}

/** Gives the document its name, and remembers under which address it was. */
export async function store(
  needs: Basics & { readonly got: Download; readonly checked: Checked },
  context: Context,
): Promise<Kept> {
  await meetFaults(needs, context);
  const { source, web, got, checked } = needs;
  if (got.kind === "not-modified") return { file: got.file, isNew: false };
  const file = toFileName(checked.sha256, source.type);
  const kept = await adoptPart(web.out, got.part, file);
  const { location: address, etag, lastModified } = got;
  await keepKnownPage(web.out, {
    address,
    ...checked,
    file,
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  });
  context.metric.set("files", kept.isNew ? 1 : 0);
  return kept;
}

/** How everything before ended. */
export interface Endings {
  readonly plan: Settled<Resolved>;
  readonly got: Settled<Download>;
  readonly checked: Settled<Checked>;
  readonly kept: Settled<Kept>;
}

/** Notes how the run ended, whatever that was. Skipped itself where all was, so that the run ends `skipped`. */
export async function manifest(
  needs: Basics & Endings,
  context: Context,
): Promise<ManifestRecord | Skip> {
  await meetFaults(needs, context);
  const record = toRecord(needs.source.id, needs);
  await keepRecord(needs.web.out, context.runId, record);
  return record.outcome === "skipped" ? skip(record.reason ?? "skipped") : record;
}
