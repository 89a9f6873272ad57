import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RESOLVER_NAMES } from "./resolve/resolver.ts";
import { contentDownload } from "./pipeline.ts";
import { toPace } from "./pace.ts";

const LIST = join(import.meta.dirname, "list");

test("the list is the one that SOURCES.md names: 30 lines, one id twice, one torn, one blank", async () => {
  const content = await readFile(join(LIST, "downloads.jsonl"));
  const sources = await readFile(join(LIST, "SOURCES.md"), "utf8");
  expect(sources).toContain(createHash("sha256").update(content).digest("hex"));
  expect(sources).toContain(`| ${content.length} `);
  const lines = content.toString().trimEnd().split("\n");
  expect(lines).toHaveLength(30);
  expect(lines.filter((line) => line === "")).toHaveLength(1);
  const ids = lines.flatMap((line) => {
    try {
      return [(JSON.parse(line) as { id: string }).id];
    } catch {
      return [];
    }
  });
  expect(ids).toHaveLength(28);
  expect(new Set(ids).size).toBe(27);
});

test("the definition tells the order of resolvers, and the waits of the old queue at the example's pace", () => {
  const { stages } = contentDownload.definition;
  expect(stages.map(({ name }) => name)).toEqual([
    "resolve",
    "download",
    "verify",
    "store",
    "manifest",
  ]);
  expect(stages[0]?.description).toContain(RESOLVER_NAMES.join(", "));
  expect(toPace(60)).toBe(300);
  expect(stages[1]?.retry).toMatchObject({
    attempts: 3,
    initialDelayMs: 300,
    factor: 2,
    jitter: 0.25,
  });
});
