import { existsSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FileBlobs, sweptName } from "./file-blobs.ts";
import { sweepBlobs, type SweepCount } from "./sweep-blobs.ts";

const OLD_SECONDS = 1_000;
/** Long after the old ones, long before anything that this test makes. */
const BEFORE_MS = 2_000_000;

interface World {
  readonly blobs: FileBlobs;
  readonly folder: string;
  readonly put: (text: string) => Promise<{ readonly name: string; readonly path: string }>;
  readonly sweep: (needed?: readonly string[], dryRun?: boolean) => Promise<SweepCount>;
}

function setup(): World {
  const root = mkdtempSync(join(tmpdir(), "millrace-sweep-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "blobs");
  const blobs = new FileBlobs({ folder });
  return {
    blobs,
    folder,
    put: async (text) => {
      const name = await blobs.put(Buffer.from(text));
      return { name, path: blobs.locate(name) };
    },
    sweep: (needed = [], dryRun = false) => {
      const isNeeded = (name: string): boolean => needed.includes(name);
      return sweepBlobs({ folder, isNeeded, changedBeforeMs: BEFORE_MS, dryRun });
    },
  };
}

function age(path: string): void {
  utimesSync(path, OLD_SECONDS, OLD_SECONDS);
}

test("what is old and not needed goes; the needed and the young stay, whoever needs them", async () => {
  const { put, sweep } = setup();
  const [old, needed, young] = await Promise.all(
    ["old", "needed", "young"].map((text) => put(text)),
  );
  if (old === undefined || needed === undefined || young === undefined) throw new Error("no blob");
  age(old.path);
  age(needed.path);

  expect(await sweep([needed.name], true)).toEqual({ blobs: 1, bytes: 3 });
  expect(existsSync(old.path)).toBe(true);
  expect(await sweep([needed.name])).toEqual({ blobs: 1, bytes: 3 });

  expect([old, needed, young].map(({ path }) => existsSync(path))).toEqual([false, true, true]);
});

test("a store without blobs has nothing to sweep, and files of others are left alone", async () => {
  const { folder, put, sweep } = setup();
  expect(await sweep()).toEqual({ blobs: 0, bytes: 0 });
  const { path } = await put("a");
  for (const name of ["notes.txt", `${path.slice(-62)}.txt`]) {
    writeFileSync(join(path, "..", name), "mine");
    age(join(path, "..", name));
  }
  writeFileSync(join(folder, "readme"), "mine");

  expect(await sweep()).toEqual({ blobs: 0, bytes: 0 });
});

test("a blob that is put while it is swept is there afterwards, whichever comes first", async () => {
  const { blobs, put, sweep } = setup();
  let swept = 0;
  for (let round = 0; round < 300; round++) {
    const { name, path } = await put("again");
    age(path);
    const [count, again] = await Promise.all([
      sweep(),
      // Begins at different moments of the sweep.
      (async () => {
        for (let turn = 0; turn < round % 12; turn++) await Promise.resolve();
        if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        return blobs.put(Buffer.from("again"));
      })(),
    ]);
    swept += count.blobs;
    expect(again).toBe(name);
    expect(await blobs.get(name)).toBeDefined();
    expect(existsSync(path)).toBe(true);
  }
  expect(swept).toBeGreaterThan(0);
});

test("a blob that a sweep left aside when it died can be read, and gets its name again or goes", async () => {
  const { blobs, put, sweep } = setup();
  const { name, path } = await put("aside");
  renameSync(path, sweptName(path));

  expect(Buffer.from((await blobs.get(name)) ?? []).toString()).toBe("aside");
  await sweep([name]);
  expect(existsSync(path)).toBe(true);
  expect(existsSync(sweptName(path))).toBe(false);

  renameSync(path, sweptName(path));
  age(sweptName(path));
  expect(await sweep()).toEqual({ blobs: 1, bytes: 5 });
  expect(await blobs.get(name)).toBeUndefined();
});

test("what a process left half written goes when it is old", async () => {
  const { put, sweep } = setup();
  const { name, path } = await put("whole");
  const half = join(path, "..", `.${name.slice(2)}.123.0`);
  writeFileSync(half, "wh");
  await sweep([name]);
  expect(existsSync(half)).toBe(true);
  age(half);

  expect(await sweep([name])).toEqual({ blobs: 0, bytes: 2 });
  expect(existsSync(half)).toBe(false);
});
