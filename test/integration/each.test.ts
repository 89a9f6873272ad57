import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { each, PermanentError } from "../../src/exports/index.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";

describe("each", () => {
  test("gives the results in the order of the list, and does nothing twice", async () => {
    const { url: store } = makeDurableWorld();
    const calls: number[] = [];
    const square = (): Promise<readonly number[]> =>
      each(
        "square",
        [3, 1, 2],
        async (n, context) => {
          await context.sleep(n);
          calls.push(n);
          return n * n;
        },
        { store, key: (n) => `n${n}` },
      );
    expect(await square()).toEqual([9, 1, 4]);
    expect(await square()).toEqual([9, 1, 4]);
    expect(calls.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  test("called again after a failure it does only what is left", async () => {
    const { url: store } = makeDurableWorld();
    const calls: string[] = [];
    let isBroken = true;
    const fetchAll = (): Promise<readonly string[]> =>
      each(
        "pages",
        ["a", "b", "c"],
        (page) => {
          calls.push(page);
          if (page === "c" && isBroken) throw new PermanentError("no such page");
          return page.toUpperCase();
        },
        { store, concurrency: 1 },
      );
    await assert.rejects(fetchAll(), /no such page/);
    isBroken = false;
    expect(await fetchAll()).toEqual(["A", "B", "C"]);
    expect(calls).toEqual(["a", "b", "c", "c"]);
  });

  test("with failures borne every item gives its outcome", async () => {
    const { url: store } = makeDurableWorld();
    const outcomes = await each(
      "halves",
      [2, 3],
      (n) => {
        if (n % 2 === 1) throw new PermanentError(`${n} is odd`);
        return n / 2;
      },
      { store, onItemFailure: "continue", key: String },
    );
    expect(outcomes.map(({ key, status }) => [key, status])).toEqual([
      ["2", "succeeded"],
      ["3", "failed"],
    ]);
  });

  test("another list is other work, and an empty one is done", async () => {
    const { url: store } = makeDurableWorld();
    const double = (list: readonly number[]): Promise<readonly number[]> =>
      each("double", list, (n) => 2 * n, { store });
    expect(await double([1])).toEqual([2]);
    expect(await double([1, 2])).toEqual([2, 4]);
    expect(await double([])).toEqual([]);
  });
});

// Notes each item before it is worked on, so that one that was done twice shows twice.
const PROGRAM = (effects: string, store: string): string => `
  import { appendFileSync } from "node:fs";
  import { each } from ${JSON.stringify(join(import.meta.dirname, "../../src/exports/index.ts"))};
  const items = Array.from({ length: 200 }, (_, index) => index);
  const results = await each("work", items, async (index, context) => {
    appendFileSync(${JSON.stringify(effects)}, index + "\\n");
    await context.sleep(4);
    return index * 2;
  }, { key: (index) => "i" + index, concurrency: 4, store: ${JSON.stringify(store)} });
  process.stdout.write(JSON.stringify(results));
`;

test("killed with SIGKILL and started again, the program does only what is left", async () => {
  const { url, folder } = makeDurableWorld();
  const effects = join(folder, "effects");
  const program = join(folder, "program.ts");
  writeFileSync(program, PROGRAM(effects, url));
  writeFileSync(effects, "");
  const start = () =>
    spawn(process.execPath, ["--conditions=@millrace/source", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  const count = (): number => readFileSync(effects, "utf8").split("\n").length - 1;

  const first = start();
  const watcher = watch(effects, () => {
    if (count() >= 60) first.kill("SIGKILL");
  });
  const [, signal] = (await once(first, "close")) as [number | null, string | null];
  watcher.close();
  assert.equal(signal, "SIGKILL");
  assert.ok(existsSync(effects) && count() < 200);

  const second = start();
  let output = "";
  second.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(second, "close");
  assert.deepEqual(
    JSON.parse(output),
    Array.from({ length: 200 }, (_, index) => index * 2),
  );
  // Only what was under way when it died, and what had ended within the commit it died in, is done again.
  assert.ok(count() <= 200 + 8, `${count()} calls for 200 items`);
});
