// The soak in short: that it runs, counts what it asked for, and finds nothing wrong. `npm run soak` does it for an hour.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const run = promisify(execFile);

test("serve works 20 runs a second beside readers and sockets that come and go, loses none and drains", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-soak-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const words = ["--minutes", "0.1", "--every", "1", "--folder", folder];
  const { stdout } = await run(process.execPath, [
    "--conditions=@millrace/source",
    "test/soak/main.ts",
    ...words,
  ]);
  expect(stdout).not.toContain("FAULT");
  const [, queued, succeeded] = /(\d+) runs queued, (\d+) succeeded/.exec(stdout) ?? [];
  expect(Number(queued)).toBeGreaterThan(100);
  // Those that schedules started come on top.
  expect(Number(succeeded)).toBeGreaterThanOrEqual(Number(queued));
  expect(stdout).toMatch(/[3-9] sockets, [1-9]\d* frames; exit 0; integrity ok/);
  expect(stdout.split("\n").filter((line) => /^ +\d+ +\d/.test(line)).length).toBeGreaterThan(1);
});
