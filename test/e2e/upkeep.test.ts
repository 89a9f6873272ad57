// `gc` and `store backup` as commands: what they say, when they refuse, and what they end with.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documentOf, readTree, startHost } from "../support/host.ts";

const host = startHost({
  "big.ts": `
import { pipeline, stage } from "millrace";
export const big = pipeline("big", { output: { big: stage("big", {}, () => "x".repeat(100_000)) } });
`,
  "millrace.config.ts": `
import { defineConfig } from "millrace";
export default defineConfig({ retention: { runs: "1ms" } });
`,
});

beforeAll(async () => {
  for (let run = 0; run < 2; run++) {
    expect((await host.call(["run", "big.ts"])).exitCode).toBe(0);
  }
}, 60_000);

afterAll(() => host.close());

describe("store backup", () => {
  test("writes a file that is a store, says how much it holds, and overwrites nothing", async () => {
    const made = await host.call(["store", "backup", "copy/store.db"]);
    expect(made).toMatchObject({ exitCode: 0, stderr: "" });
    expect(made.stdout).toMatch(/^wrote copy\/store\.db: 2 runs, 1 blob, \d+ KB\n$/);
    const shown = await host.call(["runs", "--store", "sqlite:copy/store.db", "--json"]);
    expect(documentOf(shown)).toMatchObject({ runs: { length: 2 } });

    const before = readFileSync(join(host.folder, "copy/store.db"));
    const again = await host.call(["store", "backup", "copy/store.db", "--json"]);
    expect(again.exitCode).toBe(4);
    expect(documentOf(again)).toMatchObject({ error: { code: "FILE_EXISTS" } });
    expect(readFileSync(join(host.folder, "copy/store.db"))).toEqual(before);
  });

  test("as a document", async () => {
    const made = await host.call(["store", "backup", "copy/second.db", "--json"]);
    expect(documentOf(made)).toMatchObject({
      schema: "millrace.store-backup/1",
      file: "copy/second.db",
      rows: 2,
      blobs: 1,
      missing: [],
    });
  });

  test("of a store in memory, or of none, is exit 2; into a place that is no folder exit 6", async () => {
    const memory = await host.call(["store", "backup", "m.db", "--store", "memory:"]);
    expect(memory).toMatchObject({ exitCode: 2, stdout: "" });
    expect(memory.stderr).toContain('the store "memory:" has nothing to back up');
    const none = await host.call(["store", "backup", "m.db", "--store", "sqlite:none.db"]);
    expect(none.exitCode).toBe(2);
    const blocked = await host.call(["store", "backup", "big.ts/m.db"]);
    expect(blocked.exitCode).toBe(6);
    expect(blocked.stderr).toContain("FILE_UNWRITABLE");
    expect(["m.db", "none.db"].map((name) => existsSync(join(host.folder, name)))).toEqual([
      false,
      false,
    ]);
  });
});

describe("gc", () => {
  test("counts without writing, asks for --yes where nobody can be asked, deletes, and then has nothing to do", async () => {
    const before = readTree(join(host.folder, ".millrace"));
    const counted = await host.call(["gc", "-n"]);
    expect(counted).toMatchObject({ exitCode: 0, stderr: "" });
    expect(counted.stdout).toMatch(
      /^would delete 2 runs, \d+ events, 0 cache entries, 0 blobs: 0 B {6}next: npx millrace gc\n$/,
    );
    const refused = await host.call(["gc"]);
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toContain("--yes");
    expect(refused.stderr).toContain("next   npx millrace gc -n");
    const after = readTree(join(host.folder, ".millrace"));
    expect(after["store.db"]).toBe(before["store.db"]);

    const deleted = await host.call(["gc", "--yes", "--json"]);
    expect(documentOf(deleted)).toMatchObject({
      schema: "millrace.gc/1",
      dryRun: false,
      deleted: { runs: 2, cache: 0, blobs: 0 },
      bytes: 0,
    });
    expect((await host.call(["runs", "--json"])).stdout).toContain('"runs": []');
    const nothing = await host.call(["gc"]);
    expect(nothing).toMatchObject({ exitCode: 0, stderr: "" });
    expect(nothing.stdout).toMatch(/^nothing to delete/);
  });

  test("in memory there is nothing to collect: exit 2", async () => {
    const { exitCode, stderr } = await host.call(["gc", "-n", "--store", "memory:"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("STORE_UNSUPPORTED");
  });
});
