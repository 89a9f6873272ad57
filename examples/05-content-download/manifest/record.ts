// One line of the manifest: what became of a document. Holds nothing that differs from one machine or day to the
// next; times and ids of runs are in the run records.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Failure, Settled } from "millrace";
import * as z from "zod";
import type { Endings } from "../stages.ts";
import { isCode, replaceFile } from "../store/content-store.ts";

const RECORD = z.strictObject({
  id: z.string(),
  /** Where it was found, as the resolver gave it. */
  address: z.string().nullable(),
  resolver: z.string().nullable(),
  outcome: z.enum(["succeeded", "skipped", "failed"]),
  /**
   * Why it was skipped or failed; of a document that had not changed, `not-modified`. `unavailable`: its host, or a
   * service that was to find it, did not get well while we were ready to wait.
   */
  reason: z.string().nullable(),
  bytes: z.number().nullable(),
  sha256: z.string().nullable(),
  /** Relative to the folder of the manifest. */
  file: z.string().nullable(),
  /** Of the stage that decided; null where it was not the document that did. */
  attempts: z.number().nullable(),
});

/** A line of the manifest. */
export type ManifestRecord = z.infer<typeof RECORD>;

/** A line that holds nothing but an end. */
export function toBareRecord(id: string, reason: string): ManifestRecord {
  return {
    id,
    address: null,
    resolver: null,
    outcome: "failed",
    reason,
    bytes: null,
    sha256: null,
    file: null,
    attempts: 0,
  };
}

/** The line of a run whose stages ended like this. */
export function toRecord(id: string, { plan, got, checked, kept }: Endings): ManifestRecord {
  const { address = null, resolver = null } = plan.value ?? {};
  const place = { ...toBareRecord(id, ""), address, resolver };
  const all = [plan, got, checked, kept];
  if (kept.status === "succeeded" && checked.value !== undefined) {
    const { sha256, bytes } = checked.value;
    const reason = got.value?.kind === "not-modified" ? "not-modified" : null;
    const attempts = got.value?.attempts ?? 1;
    const { file } = kept.value;
    return { ...place, outcome: "succeeded", reason, bytes, sha256, file, attempts };
  }
  const failed = all.find(({ status }) => status === "failed");
  const skipped = all.find(({ status }) => status === "skipped");
  if (failed === undefined && skipped?.status === "skipped") {
    return { ...place, outcome: "skipped", reason: skipped.reason, attempts: 1 };
  }
  return { ...place, ...toFailure(failed) };
}

function toFailure(
  ending: Settled<unknown> | undefined,
): Pick<ManifestRecord, "reason" | "attempts"> {
  const error = ending?.status === "failed" ? ending.error : undefined;
  if (error !== undefined && isAway(error)) return { reason: "unavailable", attempts: null };
  return { reason: error?.code ?? error?.message ?? "unknown", attempts: error?.attempts ?? 0 };
}

const AWAY_CODES: readonly string[] = ["HTTP 502", "HTTP 503", "HTTP 504"];

/**
 * Whether a run of a host that is down was the one to ask it, or waited for its breaker until its own deadline, is
 * chance; that the host is down is not.
 */
function isAway({ class: kind, code }: Failure): boolean {
  return kind === "deadline" || kind === "breaker-open" || AWAY_CODES.includes(code ?? "");
}

/** Keeps the line of a run until all lines are gathered. */
export async function keepRecord(
  out: string,
  runId: string,
  record: ManifestRecord,
): Promise<void> {
  await replaceFile(toPath(out, runId), `${JSON.stringify(record)}\n`);
}

/** The line that a run left; undefined when it was not asked for one. */
export async function findRecord(out: string, runId: string): Promise<ManifestRecord | undefined> {
  try {
    return RECORD.parse(JSON.parse(await readFile(toPath(out, runId), "utf8")));
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function toPath(out: string, runId: string): string {
  return join(out, "records", `${runId}.json`);
}
