// What the stages do, one function each: the domain work of the folders beside this file, tied to a run's
// folder and to the errors the engine understands. Which stage needs which is said in pipeline.ts.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { PermanentError, skip } from "millrace";
import type { Context, ItemOutcome, Settled, Skip } from "millrace";
import * as z from "zod";
import { updateDatabase } from "./evidence/database.ts";
import type { VersionChange } from "./evidence/database.ts";
import { findGaps } from "./evidence/gaps.ts";
import type { PillarGap } from "./evidence/gaps.ts";
import { toMatrix } from "./evidence/matrix.ts";
import type { MatrixCell } from "./evidence/matrix.ts";
import { scorePillars } from "./evidence/scorecard.ts";
import type { Scorecard } from "./evidence/scorecard.ts";
import { meetFault, parseFaults } from "../fault/fault.ts";
import { appealClaim, judgeAgain, judgeClaim } from "./judge/judge-claim.ts";
import type { JudgedClaim } from "./judge/judge-claim.ts";
import type { Bench } from "./judge/score-claim.ts";
import type { PaperEntry } from "./output/literature.ts";
import { renderFiles } from "./output/render-files.ts";
import { assertWritten, writeFiles } from "./output/write-files.ts";
import type { WrittenFile } from "./output/write-files.ts";
import { listPapers } from "./paper/paper-folder.ts";
import type { PaperFile } from "./paper/paper-folder.ts";
import { readPaper } from "./paper/read-paper.ts";
import type { Claim, Review } from "./review/claim.ts";
import { findClaims } from "./review/find-claims.ts";
import { listRequirements, parseRequirements } from "./review/requirement.ts";
import type { RequirementTree } from "./review/requirement.ts";

const PAPERS = join(import.meta.dirname, "papers-gpl", "whole");

/** The run's input. Every field has a default, so the pipeline runs without one. */
export const SOURCE = z
  .strictObject({
    papers: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .default(PAPERS)
      .describe("Folder of PDF files, read with its subfolders; or a list of such folders."),
    requirements: z
      .string()
      .min(1)
      .default(join(import.meta.dirname, "requirements.json"))
      .describe("The tree of requirements to review against."),
    out: z
      .string()
      .min(1)
      .optional()
      .describe("Folder for the results. Default: out/<name of the folder> beside this file."),
    faults: z.string().min(1).optional().describe("A file of faults to order; see fault/fault.ts."),
  })
  .prefault({});

/** The checked input. */
export type Source = z.infer<typeof SOURCE>;

interface WithSource {
  readonly source: Source;
}

async function meetFaults({ source }: WithSource, context: Context): Promise<void> {
  if (source.faults === undefined) return;
  await meetFault(parseFaults(await readFile(source.faults, "utf8")), context);
}

/** The tree of requirements. Fails for good when the file is missing or no such tree. */
export async function readRequirements(
  needs: WithSource,
  context: Context,
): Promise<RequirementTree> {
  await meetFaults(needs, context);
  const path = resolve(needs.source.requirements);
  try {
    return parseRequirements(await readFile(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError(`the requirements "${path}" cannot be read: ${reason}`, {
      cause: error,
    });
  }
}

/** The items of `review`. Fails for good when a folder cannot be read or none holds a PDF file. */
export async function* listFiles({ source }: WithSource): AsyncGenerator<PaperFile> {
  const folders = [source.papers].flat().map((folder) => resolve(folder));
  const names = folders.map((folder) => `"${folder}"`).join(", ");
  let found = 0;
  try {
    for await (const file of listPapers(folders)) {
      found++;
      yield file;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError(
      `the papers in ${names} cannot be listed: ${reason}. Name a folder with --input '{"papers":"path"}'.`,
      { cause: error },
    );
  }
  if (found > 0) return;
  throw new PermanentError(
    `there is no PDF file in ${names}, expected at least one name that ends in .pdf.`,
  );
}

interface WithTree extends WithSource {
  readonly tree: RequirementTree;
}

/** All that a review depends on: the paper's name and content, and the tree. Not where the paper lies. */
export function toReviewKey({ file, sha256, copyOf }: PaperFile, { tree }: WithTree): string {
  return JSON.stringify([file, sha256, copyOf, hashOf(tree)]);
}

/** All that verdicts depend on: the claims and the tree. */
export function toJudgeKey(review: Review, { tree }: WithTree): string {
  return JSON.stringify([review.paper, hashOf(review), hashOf(tree)]);
}

function hashOf(value: object): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** One paper to its claims. Skipped without text, and as a copy of another. Safe to repeat. */
export async function reviewPaper(
  { file, path, sha256, copyOf }: PaperFile,
  needs: WithTree,
  context: Context,
): Promise<Review | Skip> {
  await meetFaults(needs, context);
  if (copyOf !== null) return skip(`copy_of ${copyOf}`);
  const paper = await readPaper(await readFile(path), { name: file, asOf: needs.tree.asOf });
  if (paper.pages.every((text) => text === "")) return skip("no_text");
  const claims = findClaims(paper, needs.tree, file);
  context.metric.set("claims", claims.length);
  const { title, authors, year, pages, sentences } = paper;
  return {
    paper: file,
    sha256,
    title,
    authors,
    year,
    pages: pages.length,
    sentences: sentences.length,
    claims,
  };
}

function toBench(tree: RequirementTree, id: string): Bench {
  const requirement = listRequirements(tree).find((own) => own.id === id);
  if (requirement === undefined) {
    throw new PermanentError(`the requirement "${id}" is not in the tree "${tree.title}".`);
  }
  return { requirement, asOf: tree.asOf, halfLifeYears: tree.halfLifeYears };
}

/** The claims of one paper with their first verdicts. Safe to repeat. */
export async function judgeReview(
  { claims }: Review,
  needs: WithTree,
  context: Context,
): Promise<readonly JudgedClaim[]> {
  await meetFaults(needs, context);
  return claims.map((claim) => judgeClaim(claim, toBench(needs.tree, claim.requirement)));
}

type Judged = readonly ItemOutcome<readonly JudgedClaim[]>[];

function listJudged(judged: Judged): JudgedClaim[] {
  return judged.flatMap(({ value }) => value ?? []);
}

/** True when there is anything to appeal against. */
export function hasRejected(judged: Judged): boolean {
  return listJudged(judged).some(({ verdict }) => verdict === "rejected");
}

/** Every rejected claim that has something more to say. */
export async function appealRejected(
  needs: WithSource & { readonly judged: Judged },
  context: Context,
): Promise<readonly Claim[]> {
  await meetFaults(needs, context);
  return listJudged(needs.judged).flatMap((claim) => appealClaim(claim) ?? []);
}

/** The verdicts after appeal. */
export async function judgeAppeals(
  needs: WithTree & { readonly appeal: Settled<readonly Claim[]> },
  context: Context,
): Promise<readonly JudgedClaim[]> {
  await meetFaults(needs, context);
  const claims = needs.appeal.value ?? [];
  return claims.map((claim) => judgeAgain(claim, toBench(needs.tree, claim.requirement)));
}

/** What `sync` gives: all claims with their last verdict, and where they are kept. */
export interface Evidence {
  readonly folder: string;
  readonly papers: readonly PaperEntry[];
  readonly claims: readonly JudgedClaim[];
  readonly versions: readonly VersionChange[];
  readonly database: WrittenFile;
}

const DATABASE = "database.csv";

/** Joins all verdicts and adds what is new to the database in the folder of results. Safe to repeat. */
export async function syncDatabase(
  needs: WithSource & {
    readonly reviews: readonly ItemOutcome<Review>[];
    readonly judged: Judged;
    readonly again: Settled<readonly JudgedClaim[]>;
  },
  context: Context,
): Promise<Evidence> {
  await meetFaults(needs, context);
  const folder = toFolder(needs.source);
  const last = new Map((needs.again.value ?? []).map((claim) => [claim.id, claim]));
  const claims = listJudged(needs.judged).map((claim) => last.get(claim.id) ?? claim);
  const papers = needs.reviews.map(toEntry);
  const reviewed = papers.filter(({ status }) => status === "reviewed");
  const { csv, versions } = updateExisting(await readDatabase(folder), folder, {
    claims,
    reviewed: new Set(reviewed.map(({ paper }) => paper)),
    present: new Set(papers.map(({ paper }) => paper)),
  });
  const files = [{ name: DATABASE, content: csv }];
  const [database] = await writeFiles(folder, files, context.idempotencyKey);
  if (database === undefined) throw new Error(`"${DATABASE}" was not written`);
  context.metric.set("approved", claims.filter(({ verdict }) => verdict === "approved").length);
  return { folder, papers, claims, versions, database };
}

function toFolder({ papers, out }: Source): string {
  if (out !== undefined) return resolve(out);
  const [first = PAPERS] = [papers].flat();
  const name = resolve(first) === PAPERS ? "papers" : basename(resolve(first));
  return join(import.meta.dirname, "out", name);
}

async function readDatabase(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, DATABASE), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

function updateExisting(
  before: string,
  folder: string,
  update: Parameters<typeof updateDatabase>[1],
): ReturnType<typeof updateDatabase> {
  try {
    return updateDatabase(before, update);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError(
      `the database "${join(folder, DATABASE)}" cannot be read, and is left as it is: ${reason} ` +
        `Mend it or move it away.`,
      { cause: error },
    );
  }
}

function toEntry(outcome: ItemOutcome<Review>): PaperEntry {
  if (outcome.status === "succeeded") {
    const { paper, title, authors, year, pages, sentences } = outcome.value;
    return { paper, status: "reviewed", title, authors, year, pages, sentences };
  }
  const nothing = { title: "", authors: "", year: null, pages: 0, sentences: 0 };
  if (outcome.status === "skipped") {
    return { paper: outcome.key, status: "skipped", reason: outcome.reason, ...nothing };
  }
  const reason = outcome.error?.message ?? outcome.status;
  return { paper: outcome.key, status: "failed", reason, ...nothing };
}

/** Completeness and severity by requirement and pillar. */
export async function toGaps(
  needs: WithTree & { readonly evidence: Evidence },
  context: Context,
): Promise<readonly PillarGap[]> {
  await meetFaults(needs, context);
  return findGaps(needs.tree, needs.evidence.claims);
}

/** Scores and tiers. */
export async function toScorecard(
  needs: WithSource & { readonly gaps: readonly PillarGap[] },
  context: Context,
): Promise<Scorecard> {
  await meetFaults(needs, context);
  const card = scorePillars(needs.gaps);
  context.metric.set("score", card.score);
  return card;
}

/** Quantity by quality. */
export async function toSufficiency(
  needs: WithSource & { readonly gaps: readonly PillarGap[] },
  context: Context,
): Promise<readonly MatrixCell[]> {
  await meetFaults(needs, context);
  return toMatrix(needs.gaps);
}

/** What the pipeline gives. The files themselves lie in `folder`. */
export interface Reported {
  /** Path of `report.html`: the file to open first. */
  readonly report: string;
  readonly papers: number;
  readonly claims: number;
  readonly approved: number;
  /** 0 to 100. */
  readonly score: number;
  readonly folder: string;
  readonly files: readonly WrittenFile[];
}

/** All files but the database, each written as a whole. Safe to repeat: equal claims give equal bytes. */
export async function writeReport(
  needs: WithTree & {
    readonly evidence: Evidence;
    readonly gaps: readonly PillarGap[];
    readonly scorecard: Scorecard;
    readonly matrix: readonly MatrixCell[];
  },
  context: Context,
): Promise<Reported> {
  await meetFaults(needs, context);
  const { tree, gaps, scorecard, matrix } = needs;
  const { folder, papers, claims, versions, database } = needs.evidence;
  const content = renderFiles({ tree, papers, claims, versions, gaps, scorecard, matrix });
  const files = await writeFiles(folder, content, context.idempotencyKey);
  return {
    report: join(folder, "report.html"),
    papers: papers.filter(({ status }) => status === "reviewed").length,
    claims: claims.length,
    approved: claims.filter(({ verdict }) => verdict === "approved").length,
    score: scorecard.score,
    folder,
    files: [database, ...files],
  };
}

/** Reads the database again: what is not on the disk as it was written was not done. */
export async function verifyDatabase({ folder, database }: Evidence): Promise<void> {
  await assertWritten(folder, [database]);
}

/** Reads the files again. */
export async function verifyFiles({ folder, files }: Reported): Promise<void> {
  await assertWritten(folder, files);
}
