// The database of claims with its history, as CSV. A version is added when claims are new, changed or gone;
// rows are never altered, so the last row of a claim is what holds now. Nothing new gives the same bytes.
//
// Columns: version (from 1), change (added, changed, removed), claim (its id), paper, page, section,
// requirement, sentence, the six scores, composite, verdict, appealed (yes, no). Of a removed claim they are
// those of its last row.
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import * as z from "zod";
import { SCORE_NAMES } from "../judge/composite.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";

const TEXTS = ["claim", "paper", "page", "section", "requirement", "sentence"] as const;
const VERDICT = ["composite", "verdict", "appealed"] as const;
const STATE_COLUMNS = [...TEXTS, ...SCORE_NAMES, ...VERDICT] as const;
const COLUMNS = ["version", "change", ...STATE_COLUMNS] as const;

const ROW = z.object({
  version: z.coerce.number().int().positive(),
  change: z.enum(["added", "changed", "removed"]),
  ...Object.fromEntries(STATE_COLUMNS.map((name) => [name, z.string()])),
  claim: z.string().min(1),
  paper: z.string().min(1),
});

/** A claim as the database keeps it: text by column. */
interface ClaimState {
  readonly claim: string;
  readonly paper: string;
  /** All columns, as one text: equal states have equal texts. */
  readonly cells: readonly string[];
}

interface DatabaseRow extends ClaimState {
  readonly version: number;
  readonly change: "added" | "changed" | "removed";
}

/** What a version changed, in claims. */
export interface VersionChange {
  readonly version: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** The database after an update. */
export interface Database {
  readonly csv: string;
  /** Oldest first; empty before the first claim. */
  readonly versions: readonly VersionChange[];
}

/** What an update brings. */
export interface Update {
  readonly claims: readonly JudgedClaim[];
  /** Papers that were read to the end: what they no longer say is gone. */
  readonly reviewed: ReadonlySet<string>;
  /** Papers in the folder. Claims of one that could not be read this time stay as they were. */
  readonly present: ReadonlySet<string>;
}

/** Adds a version to the text of a database, if there is anything to add. `before` is empty at first. */
export function updateDatabase(before: string, update: Update): Database {
  const rows = parseRows(before);
  const known = new Map<string, ClaimState>();
  for (const row of rows) {
    if (row.change === "removed") known.delete(row.claim);
    else known.set(row.claim, row);
  }
  const version = (rows.at(-1)?.version ?? 0) + 1;
  const all = [...rows, ...listChanges(known, update).map((row) => ({ ...row, version }))];
  return { csv: toCsv(all), versions: countVersions(all) };
}

function listChanges(
  known: ReadonlyMap<string, ClaimState>,
  { claims, reviewed, present }: Update,
): Omit<DatabaseRow, "version">[] {
  const now = new Map(claims.map((claim) => [claim.id, toState(claim)]));
  const found = [...now.values()].flatMap((state): Omit<DatabaseRow, "version">[] => {
    const old = known.get(state.claim);
    if (old === undefined) return [{ ...state, change: "added" }];
    const isSame = old.cells.every((cell, at) => cell === state.cells[at]);
    return isSame ? [] : [{ ...state, change: "changed" }];
  });
  const gone = [...known.values()]
    .filter(({ claim, paper }) => !now.has(claim) && (reviewed.has(paper) || !present.has(paper)))
    .map((state) => ({ ...state, change: "removed" as const }));
  return [...found, ...gone];
}

function toState(claim: JudgedClaim): ClaimState {
  const { id, paper, page, section, requirement, sentence, scores, composite, verdict } = claim;
  const own = [id, paper, page, section, requirement, sentence];
  const numbers = SCORE_NAMES.map((name) => scores[name]);
  const cells = [...own, ...numbers, composite, verdict, claim.appealed ? "yes" : "no"];
  return { claim: id, paper, cells: cells.map(String) };
}

function parseRows(csv: string): DatabaseRow[] {
  if (csv === "") return [];
  const records: unknown[] = parse(csv, { columns: true });
  return records.map((record) => {
    const row = ROW.loose().parse(record);
    const fields = new Map(Object.entries(row).map(([name, cell]) => [name, String(cell)]));
    const cells = STATE_COLUMNS.map((name) => fields.get(name) ?? "");
    return { version: row.version, change: row.change, claim: row.claim, paper: row.paper, cells };
  });
}

function toCsv(rows: readonly DatabaseRow[]): string {
  const records = rows.map(({ version, change, cells }) => [version, change, ...cells]);
  return stringify([[...COLUMNS], ...records]);
}

function countVersions(rows: readonly DatabaseRow[]): VersionChange[] {
  const versions = new Map<number, VersionChange>();
  for (const { version, change } of rows) {
    const counts = versions.get(version) ?? { version, added: 0, changed: 0, removed: 0 };
    versions.set(version, { ...counts, [change]: counts[change] + 1 });
  }
  return [...versions.values()];
}
