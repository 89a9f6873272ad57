// The example as people start it: by the command, from source, in a process of its own.
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "literature-review-"));
  await mkdir(join(folder, "papers", "deep", "down"), { recursive: true });
  const paper = join(import.meta.dirname, "papers-gpl", "whole", "zoo-design.pdf");
  await cp(paper, join(folder, "papers", "deep", "down", "zoo-design.pdf"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs the example with a store of this test's own. */
function runExample(...args: readonly string[]): Ended {
  const flags = ["--conditions=@millrace/source", join("scripts", "example.ts")];
  const store = ["--store", `sqlite:${join(folder, "store.db")}`];
  const options = { cwd: ROOT, encoding: "utf8" } as const;
  const all = [...flags, "03-literature-review", ...args, ...store];
  const { status, stderr } = spawnSync(process.execPath, all, options);
  return { code: status, stderr };
}

function toInput(fields: Record<string, unknown> = {}): string {
  return JSON.stringify({ papers: join(folder, "papers"), out: join(folder, "out"), ...fields });
}

test("R269 R303: it ends with where the results are, and a second run says that nothing was to do", async () => {
  const first = runExample("--input", toInput());
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toContain(join(folder, "out", "report.html"));
  expect(first.stderr).toContain("0 unchanged, 0 changed, 2 added");
  expect(await readdir(join(folder, "out"))).toContain("report.html");

  const second = runExample("--input", toInput());
  expect(second.code).toBe(0);
  expect(second.stderr).toContain("2 items unchanged, 0 changed, 0 added");
});
