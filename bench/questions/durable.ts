// What does a durable stage cost on SQLite, acknowledged after the commit, beside bare inserts of the same file?

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { input, map, openMillrace, pipeline, stage } from "millrace";
import type { StageValue } from "millrace";
import { measure, printConditions, printFigures, printTarget } from "../lib/measure.ts";

const CHAIN = 100;
const ITEMS = 2_000;

function makeChain(): ReturnType<typeof pipeline<number>> {
  const number = input<number>();
  let last: StageValue<number, false> = stage("s0", { needs: { number } }, ({ number: n }) => n);
  for (let index = 1; index < CHAIN; index += 1) {
    const before = last;
    last = stage(`s${index}`, { needs: { before } }, (needs) => needs.before + 1);
  }
  return pipeline("chain", { input: number, stages: [last] });
}

const list = input<readonly number[]>();
const each = map("each", { over: list, key: String, concurrency: 100 }, (item) => item + 1);
const fanOut = pipeline("fan-out", { input: list, output: { each } });

/** One row per transaction, as a single chained stage must: the limit of this file system. */
function bareInserts(folder: string): () => Promise<void> {
  const database = new DatabaseSync(join(folder, "bare.db"));
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT)",
  );
  const insert = database.prepare("INSERT INTO row (text) VALUES (?)");
  return () => {
    for (let index = 0; index < CHAIN; index += 1) insert.run("x".repeat(200));
    return Promise.resolve();
  };
}

/** Answers whether the floor was met. */
export async function ask(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-durable-"));
  const chain = makeChain();
  const mill = await openMillrace({
    store: `sqlite:${join(folder, "store.db")}`,
    pipelines: [chain, fanOut],
    concurrency: 100,
  });
  try {
    printConditions("durable on SQLite, synchronous=FULL: a chain of 100 stages, µs per stage");
    const chained = await measure(
      [
        { name: "bare insert, one commit each", run: bareInserts(folder), units: CHAIN, repeat: 3 },
        {
          name: "millrace",
          run: async () => (await mill.start(chain, 0)).result(),
          units: CHAIN,
          repeat: 3,
        },
      ],
      5,
    );
    printFigures(chained, "µs");
    const met = printTarget(
      "ms per durable stage",
      (chained[1]?.median ?? Number.NaN) / 1_000,
      0.5,
    );
    printConditions(`durable on SQLite: ${ITEMS} items at concurrency 100, µs per item`);
    const items = Array.from({ length: ITEMS }, (_, index) => index);
    const fan = await measure(
      [
        {
          name: "millrace",
          run: async () => (await mill.start(fanOut, items)).result(),
          units: ITEMS,
          repeat: 1,
        },
      ],
      5,
    );
    printFigures(fan, "µs");
    return met;
  } finally {
    await mill.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
