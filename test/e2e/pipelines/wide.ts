// Pipelines for tests of the live form: many stages, many items, wide signs, a crash from a timer.

import { existsSync, writeFileSync } from "node:fs";
import { map, pipeline, stage, type Context } from "millrace";

async function gate(ctx: Context, name: string): Promise<void> {
  writeFileSync(`at-${name}`, "");
  while (!existsSync(name)) await ctx.sleep("20ms");
}

const first = stage("first", {}, () => 1);
const many = Array.from({ length: 30 }, (_, index) =>
  stage(`step-${index}`, { needs: { first } }, async (_needs, ctx) =>
    gate(ctx, index < 10 ? "early" : "late"),
  ),
);

/** Thirty stages at once: ten go on with `early`, the rest with `late`. */
export const broad = pipeline("broad", { stages: many });

const flood = map(
  "flood",
  {
    over: Array.from({ length: 20_000 }, (_, index) => index),
    key: (index) => `row-${index}`,
    concurrency: 64,
    onItemFailure: "continue",
  },
  (index, _needs, ctx) => {
    ctx.log.info(`row ${index}`);
    if (index % 1_000 === 0) throw new Error("every thousandth is broken");
    return index;
  },
);

/** Twenty thousand items that take no time. */
export const flooding = pipeline("flooding", { output: { flood } });

const names = map(
  "names",
  {
    over: ["鍵一", "👩‍👩‍👧 family", "short"],
    key: (name) => name,
    onItemFailure: "continue",
    concurrency: 1,
  },
  async (name, _needs, ctx) => {
    if (name === "鍵一") throw new Error("接続できません".repeat(20));
    console.log(`\u001b[32m緑\u001b[39m ${name} \u001b[2J\u001b[Hstay`);
    await gate(ctx, "open");
  },
);

/** Wide signs in keys, messages and what is printed. */
export const wide = pipeline("wide", { output: { names } });

const doomed = stage("doomed", {}, async (_needs, ctx) => {
  await gate(ctx, "boom");
  setImmediate(() => {
    throw new Error("thrown outside any stage");
  });
  await gate(ctx, "never");
});

/** Brings the process down from outside any stage. */
export const crashing = pipeline("crashing", { output: { doomed } });
