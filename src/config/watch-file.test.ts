import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../std/clock.ts";
import { FileWatch } from "./watch-file.ts";

function setup(options: { readonly readAtMs?: number; readonly failures?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-watch-"));
  const path = join(folder, "a.config.ts");
  writeFileSync(path, "1");
  let told = 0;
  let failures = options.failures ?? 0;
  const watch = new FileWatch({
    path,
    clock: systemClock,
    changed: async () => {
      told += 1;
      if (failures-- > 0) throw new Error("not now");
    },
    ...(options.readAtMs === undefined ? {} : { readAtMs: options.readAtMs }),
  });
  onTestFinished(async () => {
    await watch.stop();
    rmSync(folder, { recursive: true });
  });
  return { path, watch, told: () => told };
}

const WAIT = { timeout: 8_000 };

test("a change is told once, when the file has been still, and the next one again", async () => {
  const { path, watch, told } = setup();
  await watch.start();
  writeFileSync(path, "12");
  writeFileSync(path, "123");
  await expect.poll(told, WAIT).toBe(1);
  writeFileSync(path, "1234");
  await expect.poll(told, WAIT).toBe(2);
});

test("a file that was changed after it was read is told at once", async () => {
  const { watch, told } = setup({ readAtMs: 0 });
  await watch.start();
  await expect.poll(told, WAIT).toBe(1);
});

test("a change that could not be taken over is told again", async () => {
  const { path, watch, told } = setup({ failures: 1 });
  await watch.start();
  writeFileSync(path, "12");
  await expect.poll(told, WAIT).toBe(2);
});
