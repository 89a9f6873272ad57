// Files of events: order, rotation, old files, and what a crash leaves behind.

import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { seriesOfDay, seriesOfRun } from "./event-file-name.ts";
import { EventFiles, type EventLine } from "./event-files.ts";

const DAY = seriesOfDay(Date.UTC(2026, 6, 14, 9));
const RUN = seriesOfRun("0194f3a0-0000-7000-8000-000000000000");

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-events-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function lines(first: number, last: number, chars: number = 20): EventLine[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const seq = first + index;
    return { seq, text: JSON.stringify({ seq, pad: "x".repeat(chars) }) };
  });
}

function seqsIn(path: string): number[] {
  const texts = readFileSync(path, "utf8").split("\n");
  assert.equal(texts.pop(), "", "the file does not end with a line");
  return texts.flatMap((text) => {
    try {
      return [Number(Reflect.get(Object(JSON.parse(text)), "seq"))];
    } catch {
      return [];
    }
  });
}

const upTo = (last: number, first: number = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("R224: a full file is followed by the next, and every number is in one of them, in order", async () => {
  const folder = makeFolder();
  const files = new EventFiles({ folder, rotateBytes: 1_000 });
  for (let first = 1; first <= 100; first += 10) await files.append(DAY, lines(first, first + 9));
  const names = readdirSync(folder).toSorted();
  assert.deepEqual(names.slice(0, 3), [
    "2026-07-14.2.jsonl",
    "2026-07-14.3.jsonl",
    "2026-07-14.4.jsonl",
  ]);
  const parts = [
    "2026-07-14.jsonl",
    ...upTo(names.length, 2).map((part) => `2026-07-14.${part}.jsonl`),
  ];
  assert.deepEqual(
    parts.flatMap((name) => seqsIn(join(folder, name))),
    upTo(100),
  );
  for (const name of names) assert.ok(statSync(join(folder, name)).size <= 1_000, name);
  assert.equal(statSync(join(folder, "2026-07-14.jsonl")).mode & 0o777, 0o600);
});

test("a line that is larger than a file has one for itself", async () => {
  const folder = makeFolder();
  const files = new EventFiles({ folder, rotateBytes: 100 });
  await files.append(DAY, [...lines(1, 1), ...lines(2, 2, 500), ...lines(3, 3)]);
  assert.deepEqual(seqsIn(join(folder, "2026-07-14.2.jsonl")), [2]);
  assert.deepEqual(seqsIn(join(folder, "2026-07-14.3.jsonl")), [3]);
});

test("what a series has is not written again, by whoever opens it, and half a line harms no other", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 30 }),
      fc.nat(60),
      fc.nat(3),
      async (count, cut, garbage) => {
        const folder = mkdtempSync(join(tmpdir(), "millrace-events-"));
        try {
          const path = join(folder, "2026-07-14.jsonl");
          await new EventFiles({ folder, rotateBytes: 1e9 }).append(DAY, lines(1, count));
          truncateSync(path, Math.max(0, statSync(path).size - cut));
          appendFileSync(path, '{"torn'.repeat(garbage));
          await new EventFiles({ folder, rotateBytes: 1e9 }).append(DAY, lines(1, count + 5));
          assert.deepEqual(seqsIn(path), upTo(count + 5));
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("the end of a file is found behind lines that are longer than one look", async () => {
  const folder = makeFolder();
  await new EventFiles({ folder, rotateBytes: 1e9 }).append(RUN, lines(1, 3, 200_000));
  appendFileSync(join(folder, "runs", `${RUN.name}.jsonl`), `${"garbage".repeat(30_000)}\n`);
  await new EventFiles({ folder, rotateBytes: 1e9 }).append(RUN, lines(2, 4, 10));
  assert.deepEqual(seqsIn(join(folder, "runs", `${RUN.name}.jsonl`)), upTo(4));
});

test("R224: files that are old move to the archive, newer ones stay, and their series goes on", async () => {
  const folder = makeFolder();
  const files = new EventFiles({ folder, rotateBytes: 1e9 });
  const nowMs = Date.UTC(2026, 6, 20);
  await files.append(DAY, lines(1, 3));
  await files.append(RUN, lines(1, 3));
  await files.append(seriesOfDay(nowMs), lines(4, 5));
  appendFileSync(join(folder, "notes.txt"), "mine");
  const old = [join(folder, "2026-07-14.jsonl"), join(folder, "runs", `${RUN.name}.jsonl`)];
  for (const path of [...old, join(folder, "notes.txt")]) utimesSync(path, 1, 1);
  utimesSync(join(folder, "2026-07-20.jsonl"), nowMs / 1_000, nowMs / 1_000);

  assert.equal(await files.sweep(nowMs - 1_000), 2);
  assert.deepEqual(readdirSync(folder).toSorted(), [
    "2026-07-20.jsonl",
    "archive",
    "notes.txt",
    "runs",
  ]);
  assert.deepEqual(readdirSync(join(folder, "archive")).toSorted(), ["2026-07-14.jsonl", "runs"]);
  assert.equal(await files.sweep(nowMs - 1_000), 0);

  await files.append(DAY, lines(2, 6));
  assert.deepEqual(seqsIn(join(folder, "2026-07-14.2.jsonl")), [4, 5, 6]);
  assert.deepEqual(seqsIn(join(folder, "archive", "2026-07-14.jsonl")), [1, 2, 3]);
});

test("R228: no name of a file is made of anything but a day and an id", async () => {
  const folder = makeFolder();
  const files = new EventFiles({ folder, rotateBytes: 1e9 });
  for (const name of ["../x", "..", "a/b", "", "x".repeat(300), "%2e%2e", "a\\b", "\0"]) {
    await expect(files.append({ kind: "run", name }, lines(1, 1))).rejects.toThrow(
      /No file can be/,
    );
    await expect(files.append({ kind: "day", name }, lines(1, 1))).rejects.toThrow(
      /No file can be/,
    );
  }
  assert.deepEqual(readdirSync(folder), []);
});
