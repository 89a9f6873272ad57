// What a later review does again, on the eight real papers and a store: only what changed. An item that was
// taken from an earlier run has no attempt.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMillrace } from "millrace";
import type { Millrace } from "millrace";
import { literatureReview } from "./pipeline.ts";
import { SOURCE } from "./stages.ts";

const REQUIREMENTS = join(import.meta.dirname, "requirements.json");

let folder = "";
let mill: Millrace;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "literature-review-"));
  await cp(join(import.meta.dirname, "papers-gpl", "whole"), join(folder, "papers"), {
    recursive: true,
  });
  await cp(REQUIREMENTS, join(folder, "requirements.json"));
  const store = `sqlite:${join(folder, "store.db")}`;
  mill = await openMillrace({ store, pipelines: [literatureReview] });
});
afterAll(async () => {
  await mill.close();
  await rm(folder, { recursive: true });
});

interface Done {
  /** Keys of the papers that were read. */
  readonly review: readonly string[];
  /** Keys of the papers that were judged. */
  readonly judge: readonly string[];
  readonly metrics: Readonly<Record<string, number>>;
}

/** A review of what lies in the folder now. */
async function review(): Promise<Done> {
  const at = (name: string): string => join(folder, name);
  const fields = { papers: at("papers"), requirements: at("requirements.json"), out: at("out") };
  const run = await mill.start(literatureReview, SOURCE.parse(fields));
  const result = await run.result();
  expect(result).toMatchObject({ state: "succeeded", warnings: 0 });
  const listDone = async (stage: string): Promise<string[]> => {
    const { items } = await mill.items(run.id, stage, { limit: 100 });
    return items.filter(({ attempts }) => attempts > 0).map(({ key }) => key);
  };
  return {
    review: await listDone("review"),
    judge: await listDone("judge"),
    metrics: result.metrics,
  };
}

// One story, told in order: each review finds what the one before it left.
test("R268 R269 R303: 8 papers, then none, then the changed one, the new one, and all under another tree", async () => {
  const first = await review();
  expect([first.review.length, first.judge.length]).toEqual([8, 8]);
  expect(first.metrics).toMatchObject({ "cache.added": 16 });
  const report = await readFile(join(folder, "out", "report.html"), "utf8");
  const gaps: unknown = JSON.parse(await readFile(join(folder, "out", "gaps.json"), "utf8"));
  expect(gaps).toMatchObject([{ id: "T" }, { id: "C" }, { id: "N", completeness: 0 }]);
  expect(gaps).toMatchObject([{}, {}, { severity: "critical" }]);

  const second = await review();
  expect(second).toMatchObject({ review: [], judge: [] });
  expect(second.metrics).toMatchObject({ "cache.hit": 16, approved: first.metrics["approved"] });
  expect(await readFile(join(folder, "out", "report.html"), "utf8")).toBe(report);

  // A comment after the end: other bytes, the same words.
  const design = join(folder, "papers", "zoo-design.pdf");
  await writeFile(design, Buffer.concat([await readFile(design), Buffer.from("% again\n")]));
  const changed = await review();
  expect(changed.review).toEqual(["zoo-design.pdf"]);
  expect(changed.metrics).toMatchObject({ "cache.changed": 2 });

  const more = join(folder, "papers", "more.pdf");
  await cp(join(folder, "papers", "zoo-quickref.pdf"), more);
  await writeFile(more, Buffer.concat([await readFile(more), Buffer.from("% more\n")]));
  const added = await review();
  expect(added).toMatchObject({ review: ["more.pdf"], judge: ["more.pdf"] });
  expect(added.metrics).toMatchObject({ "cache.added": 2, "cache.hit": 16 });

  await rm(more);
  expect(await review()).toMatchObject({ review: [], judge: [] });

  const text = await readFile(REQUIREMENTS, "utf8");
  await writeFile(join(folder, "requirements.json"), text.replace('"asOf": 2022', '"asOf": 2023'));
  const other = await review();
  expect([other.review.length, other.judge.length]).toEqual([8, 8]);
});

test("R303: the database tells the story: a version for what was added, gone and aged", async () => {
  const claims: unknown = JSON.parse(await readFile(join(folder, "out", "claims.json"), "utf8"));
  const count = expect.any(Number);
  expect(claims).toMatchObject({
    versions: [
      { version: 1, added: 120, changed: 0, removed: 0 },
      { version: 2, added: 3, changed: 0, removed: 0 },
      { version: 3, added: 0, changed: 0, removed: 3 },
      { version: 4, added: 0, changed: count, removed: 0 },
    ],
  });
});
