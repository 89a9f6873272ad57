// The whole example on the real engine: what a run gives, and what it does about every paper that is none.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { literatureReview } from "./pipeline.ts";
import { SOURCE } from "./stages.ts";
import type { Source } from "./stages.ts";

const WHOLE = join(import.meta.dirname, "papers-gpl", "whole");
const CUT = join(import.meta.dirname, "papers-gpl", "cut");
const FAULTY = join(import.meta.dirname, "faulty");
const FILES = [
  "claims.json",
  "database.csv",
  "gaps.json",
  "matrix.json",
  "report.html",
  "scorecard.json",
];

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "literature-review-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A folder with the given papers. */
async function collect(...files: readonly string[]): Promise<string> {
  const papers = join(folder, "papers");
  await mkdir(papers, { recursive: true });
  for (const file of files) await cp(join(WHOLE, file), join(papers, file));
  return papers;
}

function toInput(fields: Partial<Source>): Source {
  return SOURCE.parse({ out: join(folder, "out"), ...fields });
}

async function readOut(name = "out"): Promise<Record<string, string>> {
  const files = await readdir(join(folder, name));
  const texts = files.map(async (file) => [file, await readFile(join(folder, name, file), "utf8")]);
  return Object.fromEntries(await Promise.all(texts));
}

async function readJson<Content = unknown>(file: string): Promise<Content> {
  return JSON.parse((await readOut())[file] ?? "");
}

/** The bundled tree with fewer terms: what is asked for decides what is found. */
async function askFor(terms: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const path = join(folder, "requirements.json");
  const requirements = Object.entries(terms).map(([id, own]) => {
    const text = "Observations are kept under an index of any class that can be ordered.";
    return { id, title: "Any ordered index", text, terms: own };
  });
  const pillars = [{ id: "P", title: "Pillar", requirements }];
  const tree = { title: "Tree", asOf: 2022, halfLifeYears: 25, pillars };
  await writeFile(path, JSON.stringify(tree));
  return path;
}

test("the plan has ten stages, reading and judging as maps, gaps before scorecard and matrix", () => {
  const { waves, warnings } = literatureReview.plan(toInput({}));
  expect(waves).toEqual([
    ["requirements"],
    ["review"],
    ["judge"],
    ["appeal"],
    ["judge_again"],
    ["sync"],
    ["gaps"],
    ["scorecard", "matrix"],
    ["report"],
  ]);
  expect(warnings).toEqual([]);
  const maps = literatureReview.definition.stages.filter(({ kind }) => kind === "map");
  expect(maps.map(({ name }) => name)).toEqual(["review", "judge"]);
});

test("R58 R303: of four papers that are none two are skipped and two fail for good, as two warnings", async () => {
  const papers = await collect("zoo-design.pdf");
  const result = await literatureReview.run(toInput({ papers: [CUT, FAULTY, papers] }));
  expect(result).toMatchObject({ state: "succeeded", warnings: 2 });
  const counts = { total: 5, succeeded: 1, skipped: 2, failed: 2 };
  expect(result.stages["review"]?.items).toMatchObject(counts);
  expect(result.errors.map(({ item, error }) => [item?.key, error.class, error.attempts])).toEqual([
    ["zoo-cut.pdf", "permanent", 1],
    ["encrypted.pdf", "permanent", 1],
  ]);
  expect(await readJson("claims.json")).toMatchObject({
    papers: expect.arrayContaining([
      expect.objectContaining({ paper: "empty.pdf", status: "skipped", reason: "no_text" }),
      expect.objectContaining({ paper: "image-only.pdf", status: "skipped", reason: "no_text" }),
      expect.objectContaining({ paper: "encrypted.pdf", status: "failed" }),
      expect.objectContaining({ paper: "zoo-cut.pdf", status: "failed" }),
    ]),
  });
  const report = join(folder, "out", "report.html");
  expect(result.unwrap().report).toMatchObject({ papers: 1, report });
});

test("R303: every claim has its paper, page, sentence, requirement, six scores, composite and verdict", async () => {
  const papers = await collect("zoo-design.pdf", "zoo-quickref.pdf");
  await literatureReview.run(toInput({ papers }));
  expect(Object.keys(await readOut()).toSorted()).toEqual(FILES);
  const { claims } = await readJson<{ readonly claims: readonly object[] }>("claims.json");
  expect(claims.length).toBeGreaterThan(5);
  for (const claim of claims) {
    expect(claim).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      paper: expect.stringMatching(/^zoo-(design|quickref)\.pdf$/),
      page: expect.any(Number),
      section: expect.any(String),
      sentence: expect.stringMatching(/.{20}/),
      requirement: expect.stringMatching(/^[TCN]\d$/),
      terms: expect.arrayContaining([expect.any(String)]),
      scores: {
        strength: expect.any(Number),
        rigor: expect.any(Number),
        relevance: expect.any(Number),
        directness: expect.any(Number),
        recency: expect.any(Number),
        reproducibility: expect.any(Number),
      },
      composite: expect.any(Number),
      verdict: expect.stringMatching(/^(approved|rejected)$/),
      judges: expect.toBeOneOf([1, 3]),
      appealed: expect.any(Boolean),
    });
  }
});

test("R303: a second run over the same papers changes no byte, in the same folder or another", async () => {
  const papers = await collect("zoo-design.pdf");
  await literatureReview.run(toInput({ papers }));
  const files = await readOut();
  expect((await literatureReview.run(toInput({ papers }))).state).toBe("succeeded");
  expect(await readOut()).toEqual(files);
  await literatureReview.run(toInput({ papers, out: join(folder, "again") }));
  expect(await readOut("again")).toEqual(files);
});

test("R303: with nothing rejected there is no appeal, and the reason is kept", async () => {
  const papers = await collect("zoo-design.pdf");
  const requirements = await askFor({ P1: ["ordered index class"] });
  const result = await literatureReview.run(toInput({ papers, requirements }));
  expect(result).toMatchObject({ state: "succeeded", warnings: 0 });
  for (const stage of ["appeal", "judge_again"]) {
    expect(result.stages[stage]).toMatchObject({ state: "skipped", reason: "no_rejections" });
  }
  expect(result.unwrap().report).toMatchObject({ claims: 1, approved: 1 });
});

test("R303: what was rejected is heard again, and the last verdict counts", async () => {
  const papers = await collect("zoo-quickref.pdf");
  const result = await literatureReview.run(toInput({ papers }));
  expect(result.stages["appeal"]).toMatchObject({ state: "succeeded" });
  const again = result.output<readonly { readonly id: string }[]>("judge_again") ?? [];
  expect(again.length).toBeGreaterThan(0);
  const { claims } = await readJson<{
    readonly claims: readonly { readonly id: string; readonly appealed: boolean }[];
  }>("claims.json");
  const appealed = claims.filter((claim) => claim.appealed).map(({ id }) => id);
  expect(appealed).toEqual(again.map(({ id }) => id));
});

test("R303: changed papers and requirements become versions of the database, and the old rows stay", async () => {
  const papers = await collect("zoo-design.pdf", "zoo-quickref.pdf");
  await literatureReview.run(toInput({ papers }));
  const first = (await readOut())["database.csv"] ?? "";
  await rm(join(papers, "zoo-quickref.pdf"));
  const requirements = await askFor({ T1: ["ordered index class"] });
  await literatureReview.run(toInput({ papers, requirements }));
  const { versions } = await readJson<{ readonly versions: readonly object[] }>("claims.json");
  expect(versions).toMatchObject([{ version: 1 }, { version: 2 }]);
  expect(((await readOut())["database.csv"] ?? "").startsWith(first)).toBe(true);
});

test("a paper that fails once is read again, and leaves no trace in the files", async () => {
  const papers = await collect("zoo-design.pdf");
  const faults = join(folder, "faults.json");
  await writeFile(faults, '[{"stage":"review","item":"zoo-design.pdf","do":"fail"}]');
  const plain = await literatureReview.run(toInput({ papers, out: join(folder, "plain") }));
  const struck = await literatureReview.run(toInput({ papers, faults }));
  expect([plain.state, struck.state, struck.warnings]).toEqual(["succeeded", "succeeded", 0]);
  expect(await readOut()).toEqual(await readOut("plain"));
});

test("the same paper under two names is evidence once", async () => {
  const papers = await collect("zoo-design.pdf");
  await mkdir(join(papers, "copies"));
  await cp(join(WHOLE, "zoo-design.pdf"), join(papers, "copies", "a.pdf"));
  const result = await literatureReview.run(toInput({ papers }));
  expect(result).toMatchObject({ state: "succeeded", warnings: 0 });
  expect(await readJson("claims.json")).toMatchObject({
    papers: [
      { paper: "copies/a.pdf", status: "reviewed" },
      { paper: "zoo-design.pdf", status: "skipped", reason: "copy_of copies/a.pdf" },
    ],
  });
});

test("an empty folder, a missing one, a bad tree and a damaged database are named, and nothing is lost", async () => {
  const papers = await collect();
  const fail = async (fields: Partial<Source>): Promise<unknown> => {
    const result = await literatureReview.run(toInput(fields));
    expect(result.state).toBe("failed");
    return result.errors[0]?.error;
  };
  const permanent = (text: string): object => ({
    class: "permanent",
    message: expect.stringContaining(text),
  });
  expect(await fail({ papers })).toMatchObject(permanent(`no PDF file in "${papers}"`));
  expect(await fail({ papers: join(folder, "none") })).toMatchObject(permanent("cannot be listed"));
  expect(await fail({ requirements: join(folder, "none") })).toMatchObject(permanent("ENOENT"));
  await collect("zoo-design.pdf");
  await mkdir(join(folder, "out"));
  await writeFile(join(folder, "out", "database.csv"), "version,change\n1,exploded\n");
  expect(await fail({ papers })).toMatchObject(permanent("is left as it is"));
  expect(await readOut()).toEqual({ "database.csv": "version,change\n1,exploded\n" });
});

test("a misspelt field of the input is refused before anything runs", () => {
  expect(SOURCE.safeParse({ paper: "x" }).success).toBe(false);
  expect(SOURCE.parse(undefined)).toMatchObject({ papers: WHOLE });
});
