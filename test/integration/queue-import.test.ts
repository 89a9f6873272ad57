// A file of runs: what every kind of line becomes, that it may be imported again, and that little of it is held.

import { describe, expect, test } from "vitest";
import { input, pipeline, stage } from "../../src/exports/index.ts";
import type { ImportOptions } from "../../src/service/queue-import/import-runs.ts";
import { decodeValue } from "../../src/std/value.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

const page = input<unknown>();
const line = pipeline("line", {
  input: page,
  stages: [stage("read", { needs: { page } }, () => 1)],
});

type ImportText = string | readonly (string | Uint8Array)[] | AsyncIterable<Uint8Array>;

async function setup(kind: "memory" | "sqlite" = "memory") {
  const mill = await makeDurableWorld(kind).open([line]);
  const importText = (text: ImportText, options?: ImportOptions) => {
    if (typeof text === "string") return mill.import(line, chunksOf([text]), options);
    return mill.import(line, Symbol.asyncIterator in text ? text : chunksOf(text), options);
  };
  const keys = async () => {
    const { runs } = await mill.runs({ limit: 500 });
    return runs.map(({ key }) => key).toReversed();
  };
  return { mill, importText, keys };
}

async function* chunksOf(parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}

describe.each(STORES)("an import on %s", (kind) => {
  test("R179: one run per line, and a count of new, known and bad lines with their numbers", async () => {
    const { mill, importText, keys } = await setup(kind);
    await mill.enqueue(line, [{ key: "known", input: 0 }]);
    const text = [
      '{"key":"a","n":1}',
      '{"id":"b"}',
      "{oops",
      '{"artifact_id":"c"}',
      '{"id":"b","n":2}',
      '{"key":"known"}',
      '{"id":[]}',
    ].join("\n");
    const outcome = await importText(text, { name: "list.jsonl" });
    expect(outcome).toMatchObject({ lines: 7, created: 3, duplicates: 2, badLines: 2 });
    expect(outcome.bad.map((bad) => bad.line)).toEqual([3, 7]);
    expect(await keys()).toEqual(["known", "a", "b", "c"]);
    expect(await mill.store.findBatch(outcome.batch)).toMatchObject({ source: "list.jsonl" });
    expect(await mill.store.countBatch(outcome.batch)).toEqual({ queued: 3 });

    expect(await importText(text)).toMatchObject({ created: 0, duplicates: 5, badLines: 2 });
  });

  test("R180: blank lines do not count, and a limit of 0 takes none", async () => {
    const { importText, keys } = await setup(kind);
    const text = '\n  \n{"id":"a"}\r\n\t\r\n{"id":"b"}\n\n{"id":"c"}\n';
    expect(await importText(text, { limit: 0 })).toMatchObject({ lines: 0, created: 0 });
    expect(await importText(text, { limit: 2 })).toMatchObject({ lines: 2, created: 2 });
    expect(await keys()).toEqual(["a", "b"]);
    expect(await importText(text)).toMatchObject({ lines: 3, created: 1, duplicates: 2 });
  });

  test("keys that differ after a NUL are different keys", async () => {
    const { importText } = await setup(kind);
    const text = '{"id":"a\\u0000b"}\n{"id":"a\\u0000c"}\n{"id":"a"}';
    expect(await importText(text)).toMatchObject({ created: 3, badLines: 0 });
  });

  test("a NUL and half a surrogate pair within an input come back as they were", async () => {
    const { importText, mill } = await setup(kind);
    const text = String.raw`{"id":"a","nul":"x\u0000y","half":"\ud800","\udfff":1}`;
    expect(await importText(text)).toMatchObject({ created: 1, badLines: 0 });
    expect(decodeValue((await mill.run("last")).input)).toEqual(JSON.parse(text));
  });

  test("many lines come in many transactions, told as they go", async () => {
    const { importText, mill } = await setup(kind);
    const text = Array.from({ length: 3_500 }, (_, index) => `{"id":${index}}`).join("\n");
    const told: number[] = [];
    const outcome = await importText(text, { onProgress: ({ created }) => told.push(created) });
    expect(outcome).toMatchObject({ lines: 3_500, created: 3_500 });
    expect(told.at(-1)).toBe(3_500);
    expect((await mill.stats()).queued).toBe(3_500);
  });
});

test("a mark at the start, CRLF and a last line without an end are read as they are meant", async () => {
  const { importText, keys, mill } = await setup();
  await importText('\uFEFF{"id":"a"}\r\n{"id":"b","text":"x\\r\\n\u2028"}');
  expect(await keys()).toEqual(["a", "b"]);
  expect(decodeValue((await mill.run("last")).input)).toEqual({ id: "b", text: "x\r\n\u2028" });
});

test("a character that is cut between two chunks is whole, and one that is cut for good makes its line bad", async () => {
  const { importText, keys } = await setup();
  const bytes = Buffer.from('{"id":"grün"}\n');
  const whole = [bytes.subarray(0, 10), bytes.subarray(10)];
  const cut = [Buffer.from('{"id":"g'), Buffer.from([0xc3]), Buffer.from('n"}\n{"id":"c"}\n')];
  const outcome = await importText([...whole, ...cut, Buffer.from([0xff])]);
  expect(outcome.bad).toEqual([
    { line: 2, message: "it is no UTF-8" },
    { line: 4, message: "it is no UTF-8" },
  ]);
  expect(await keys()).toEqual(["grün", "c"]);
});

test("a line of 100 MB is passed over, and never held", async () => {
  const { importText, keys } = await setup();
  let heldBytesMax = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const piece = Buffer.alloc(1024 * 1024, "x");
    yield Buffer.from('{"id":"a"}\n"');
    const { arrayBuffers: before } = process.memoryUsage();
    for (let count = 0; count < 100; count += 1) {
      yield piece;
      heldBytesMax = Math.max(heldBytesMax, process.memoryUsage().arrayBuffers - before);
    }
    yield Buffer.from('"\n{"id":"b"}\n');
  }
  const outcome = await importText(chunks());
  expect(outcome).toMatchObject({ lines: 3, created: 2, badLines: 1 });
  expect(outcome.bad[0]).toMatchObject({ line: 2, message: expect.stringContaining("8388608") });
  expect(await keys()).toEqual(["a", "b"]);
  // As much as the longest line that is read may have, and as much again of garbage.
  expect(heldBytesMax).toBeLessThan(24 * 1024 * 1024);
});

test("what is nested too deep to be stored is told in a short sentence", async () => {
  const { importText } = await setup();
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const { bad, created } = await importText(`{"id":1,"a":${deep}}\n${deep}\n{"id":2}\n`);
  expect(created).toBe(1);
  expect(bad.map(({ line }) => line)).toEqual([1, 2]);
  for (const { message } of bad) {
    expect(message).toMatch(/nest/u);
    expect(message.length).toBeLessThan(400);
  }
});

test("of very many bad lines the first are named and all are counted", async () => {
  const { importText } = await setup();
  const outcome = await importText("nonsense\n".repeat(1_000));
  expect([outcome.badLines, outcome.bad.length, outcome.lines]).toEqual([1_000, 100, 1_000]);
});

test("envelopes carry priority, delay and tags of their own", async () => {
  const { importText, mill } = await setup();
  const envelope = { key: "k", input: { a: 1 }, priority: 4, delay: "1h", tags: { who: "ana" } };
  await importText(JSON.stringify(envelope), { envelope: true });
  const run = await mill.run("last");
  expect([run.state, run.priority, run.tags, decodeValue(run.input)]).toEqual([
    "waiting",
    4,
    { who: "ana" },
    { a: 1 },
  ]);
});
