import { expect, test } from "vitest";
import { makeClaim } from "./make-claim.ts";
import { updateDatabase } from "./database.ts";
import type { Database } from "./database.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";

/** An update after which exactly these claims stand in these papers. */
function update(before: string, claims: readonly JudgedClaim[], papers = ["a.pdf"]): Database {
  return updateDatabase(before, { claims, reviewed: new Set(papers), present: new Set(papers) });
}

function lines(csv: string): string[] {
  return csv.trimEnd().split("\n").slice(1);
}

const ONE = makeClaim();
const TWO = makeClaim({ id: "a2", page: 7, sentence: 'A "quoted" one, with a comma\nand a line.' });

test("the first version holds every claim, with page, scores, composite and verdict", () => {
  const { csv, versions } = update("", [ONE]);
  expect(versions).toEqual([{ version: 1, added: 1, changed: 0, removed: 0 }]);
  expect(csv).toBe(
    "version,change,claim,paper,page,section,requirement,sentence,strength,rigor,relevance," +
      "directness,recency,reproducibility,composite,verdict,appealed\n" +
      '1,added,a1,a.pdf,1,1. One,R1,"It is so, and has always been.",4,3,4,3,1,0,3.1,approved,no\n',
  );
});

test("nothing new gives the same bytes, whatever the texts hold", () => {
  const { csv } = update("", [ONE, TWO]);
  expect(update(csv, [TWO, ONE]).csv).toBe(csv);
});

test("a version is added for what is new, changed and gone; earlier rows stay as they were", () => {
  const first = update("", [ONE, TWO]);
  const changed = makeClaim({ page: 2 });
  const third = makeClaim({ id: "a3" });
  const second = update(first.csv, [changed, third]);
  expect(second.csv.startsWith(first.csv)).toBe(true);
  expect(second.versions.at(-1)).toEqual({ version: 2, added: 1, changed: 1, removed: 1 });
  const added = second.csv.slice(first.csv.length);
  expect(added.split("\n").map((line) => line.slice(0, 13))).toEqual(
    expect.arrayContaining(["2,changed,a1,", "2,added,a3,a.", "2,removed,a2,"]),
  );
});

test("a claim that comes back is added again", () => {
  const gone = update(update("", [ONE]).csv, []);
  const back = update(gone.csv, [ONE]);
  expect(lines(back.csv).map((line) => line.slice(0, 10))).toEqual([
    "1,added,a1",
    "2,removed,",
    "3,added,a1",
  ]);
});

test("claims of a paper that could not be read stay, those of one that is gone do not", () => {
  const { csv } = update("", [ONE, makeClaim({ id: "b1", paper: "b.pdf" })], ["a.pdf", "b.pdf"]);
  const next = updateDatabase(csv, {
    claims: [],
    reviewed: new Set(),
    present: new Set(["a.pdf"]),
  });
  expect(next.versions.at(-1)).toMatchObject({ version: 2, removed: 1 });
  expect(lines(next.csv).at(-1)).toMatch(/^2,removed,b1,b.pdf/);
});

test("an empty database has a heading and no version", () => {
  const { csv, versions } = update("", []);
  expect([lines(csv), versions]).toEqual([[], []]);
});

test("a damaged database is refused", () => {
  expect(() => update("version,change\n1,exploded\n", [])).toThrow("change");
  expect(() => update('version,change\n1,"added\n', [])).toThrow();
});
