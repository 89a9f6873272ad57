// What do resources cost? 10,000 items on SQLite through a limit, a quota and a breaker beside the same without, and
// how much 100,000 items that wait for busy keys slow the others.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { input, map, openMillrace, pipeline, resource } from "millrace";
import { measure, printConditions, printFigures, printTarget } from "../lib/measure.ts";

const ITEMS = 10_000;
const BLOCKED = 100_000;
const FREE = 5_000;
// So many hold a permit at once, and so many can share a commit: with few of them its fsync is what is measured.
const CONCURRENCY = 500;
const ROUNDS = 9;

const api = resource("api", {
  limit: CONCURRENCY,
  quota: { rate: 1_000_000, per: "1s" },
  breaker: {},
});
const list = input<readonly number[]>();
const plain = pipeline("plain", {
  input: list,
  output: { each: map("each", { over: list, key: String, concurrency: CONCURRENCY }, (n) => n) },
});
const guarded = pipeline("guarded", {
  input: list,
  output: {
    each: map("each", { over: list, key: String, concurrency: CONCURRENCY, uses: [api] }, (n) => n),
  },
});

/** Ten busy keys, each with a holder that stays, and one key that is free. */
const host = resource("host", { limit: 1, key: (key: string) => key });
const busy = pipeline("busy", {
  input: list,
  output: {
    each: map(
      "each",
      { over: list, key: String, concurrency: CONCURRENCY, uses: (n) => [host.for(`h${n % 10}`)] },
      (_n, _needs, context) =>
        new Promise((_resolve, reject) =>
          context.signal.addEventListener("abort", () => reject(context.signal.reason)),
        ),
    ),
  },
});
const free = pipeline("free", {
  input: list,
  output: {
    each: map(
      "each",
      { over: list, key: String, concurrency: CONCURRENCY, uses: (n) => [host.for(`f${n % 50}`)] },
      (n) => n,
    ),
  },
});

/** Answers whether the floors were met. */
export async function ask(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-resources-"));
  const items = Array.from({ length: ITEMS }, (_, index) => index);
  const mill = await openMillrace({
    store: `sqlite:${join(folder, "store.db")}`,
    pipelines: [plain, guarded, busy, free],
    concurrency: CONCURRENCY,
  });
  try {
    printConditions(
      `resources on SQLite: ${ITEMS} items at concurrency ${CONCURRENCY}, µs per item`,
    );
    const figures = await measure(
      [
        {
          name: "without",
          run: async () => (await mill.start(plain, items)).result(),
          units: ITEMS,
          repeat: 1,
        },
        {
          name: "limit + quota + breaker",
          run: async () => (await mill.start(guarded, items)).result(),
          units: ITEMS,
          repeat: 1,
        },
      ],
      ROUNDS,
    );
    printFigures(figures, "µs");
    const [without, withAll] = figures.map(({ median }) => median);
    const isCheap = printTarget(
      "times as long as without",
      (withAll ?? Number.NaN) / (without ?? Number.NaN),
      2,
    );
    return (await askBlocked()) && isCheap;
  } finally {
    await mill.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function askBlocked(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-blocked-"));
  const mill = await openMillrace({
    store: `sqlite:${join(folder, "store.db")}`,
    pipelines: [busy, free],
    concurrency: CONCURRENCY,
  });
  const items = Array.from({ length: FREE }, (_, index) => index);
  const run = async (): Promise<unknown> => (await mill.start(free, items)).result();
  try {
    printConditions(`resources: ${BLOCKED} items wait for busy keys, µs per item of others`);
    const alone = { name: "others alone", run, units: FREE, repeat: 1 };
    const [before] = await measure([alone], ROUNDS);
    const blocked = await mill.start(
      busy,
      Array.from({ length: BLOCKED }, (_, index) => index),
    );
    const [beside] = await measure([{ ...alone, name: "others beside them" }], ROUNDS);
    const figures = [before, beside].flatMap((figure) => figure ?? []);
    printFigures(figures, "µs");
    await blocked.cancel("measured");
    const [free0, free1] = figures.map(({ median }) => median);
    return printTarget("times as long", (free1 ?? Number.NaN) / (free0 ?? Number.NaN), 1.1);
  } finally {
    await mill.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
