// The pipeline that is killed: a chain, a list with keys and retries, a list that follows it item by item, a
// stream, memos, shared state, metrics, outputs that lie in blobs, a stage that always fails and is not critical, and,
// where it is asked for, a resource that all runs share. What it gives depends on its input alone. Every piece of user code leaves a line in the file of
// effects before it does anything else.

import { appendFileSync } from "node:fs";
import { createHash } from "node:crypto";
import type { Context } from "../../../src/model/context.ts";
import { input, map, pipeline, resource, stage } from "../../../src/exports/index.ts";
import type { Pipeline } from "../../../src/exports/index.ts";

/** What one passage works on. */
export interface Passage {
  readonly salt: string;
  readonly items: number;
}

/** One line of the file of effects. */
export interface Effect {
  readonly run: string;
  /** With `#name` for a memo. */
  readonly stage: string;
  /** "" for a stage. */
  readonly item: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly pid: number;
}

const BLOB_CHARS = 70_000;

/** Items of all runs of all processes that may be at work at once: fewer than a run alone would have. */
export const SHARED_LIMIT = 2;

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Where a reference leaves its lines, and what it works with. */
export interface ReferenceOptions {
  /** Called by user code after it has left its line. */
  readonly onEffect?: (() => void) | undefined;
  /** True: its items use a resource that all runs share. Default: they use none. */
  readonly isShared?: boolean;
}

/** @param effects Path of the file of effects; undefined: none are recorded. */
export function makeReference(
  effects: string | undefined,
  { onEffect, isShared = false }: ReferenceOptions = {},
): Pipeline<Passage, { readonly end: Record<string, unknown> }> {
  const record = (ctx: Context, memo = ""): void => {
    if (effects === undefined) return;
    const line: Effect = {
      run: ctx.runId,
      stage: ctx.stage + memo,
      item: ctx.item?.key ?? "",
      attempt: ctx.attempt,
      idempotencyKey: ctx.idempotencyKey,
      pid: process.pid,
    };
    appendFileSync(effects, `${JSON.stringify(line)}\n`);
    onEffect?.();
  };

  const shared = resource("shared", {
    limit: SHARED_LIMIT,
    quota: { rate: 1_000, per: "1s", burst: 20 },
  });
  const passage = input<Passage>();
  const list = stage("list", { needs: { passage } }, ({ passage: { salt, items } }, ctx) => {
    record(ctx);
    ctx.state.set("salt", salt);
    return Array.from({ length: items }, (_, n) => ({ id: `item-${n}`, n, salt }));
  });
  const big = stage("big", { needs: { passage } }, ({ passage: { salt } }, ctx) => {
    record(ctx);
    return hashOf(salt).repeat(BLOB_CHARS / 8);
  });
  const work = map(
    "work",
    {
      over: list,
      key: ({ id }) => id,
      concurrency: 3,
      ...(isShared ? { uses: [shared] } : {}),
      onItemFailure: "continue",
      retry: { attempts: 3, initialDelay: "3ms", jitter: "none" },
    },
    async ({ n, salt }, _needs, ctx) => {
      record(ctx);
      ctx.metric.increment("tried");
      const half = await ctx.memo("half", () => {
        record(ctx, "#half");
        return hashOf(`${salt}/${n}`);
      });
      if (n % 3 === 0 && ctx.attempt === 1) throw new Error(`item ${n} fails at first`);
      await ctx.sleep(1);
      ctx.metric.increment("worked");
      return { n, text: n === 1 ? half.repeat(BLOB_CHARS / 8) : half };
    },
  );
  const twice = map(
    "twice",
    { over: work, concurrency: 2, onItemFailure: "continue" },
    (item, _needs, ctx) => {
      record(ctx);
      ctx.metric.increment("letters", item.text.length);
      return hashOf(item.text + item.text);
    },
  );
  const stream = map(
    "stream",
    {
      needs: { passage },
      over: async function* ({ passage: { items } }: { passage: Passage }) {
        for (let n = 0; n < items; n += 1) yield await Promise.resolve(`line-${n}`);
      },
      key: (line: string) => line,
      concurrency: 2,
    },
    (line, { passage: { salt } }, ctx) => {
      record(ctx);
      return hashOf(`${salt}:${line}`);
    },
  );
  const flag = stage(
    "flag",
    { needs: { list }, when: (_needs, ctx) => ctx.state.get("salt") !== undefined },
    (_needs, ctx) => {
      record(ctx);
      ctx.metric.set("flagged", 1);
      return ctx.state.get("salt");
    },
  );
  const broken = stage(
    "broken",
    {
      needs: { list },
      critical: false,
      retry: { attempts: 2, initialDelay: "2ms", jitter: "none" },
    },
    (_needs, ctx): number => {
      record(ctx);
      ctx.metric.increment("broken");
      throw new Error("this one never works");
    },
  );
  const after = stage("after", { needs: { broken } }, (needs, ctx) => {
    record(ctx);
    return needs.broken.status;
  });
  const end = stage("end", { needs: { big, work, twice, stream, flag, after } }, (needs, ctx) => {
    record(ctx);
    return {
      big: hashOf(needs.big),
      work: hashOf(JSON.stringify(needs.work)),
      twice: hashOf(JSON.stringify(needs.twice)),
      stream: hashOf(JSON.stringify(needs.stream)),
      flag: needs.flag,
      after: needs.after,
    };
  });
  // Many kills in a row are no reason to give up.
  return pipeline("reference", { input: passage, output: { end }, attempts: 1_000 });
}
