import { expect, test } from "vitest";
import { encodeOrThrow } from "../../run-core.ts";
import { IsolatedContext } from "./isolated-context.ts";
import type { IsolatedCall } from "./protocol.ts";

function contextOf(scheduled: IsolatedCall["scheduled"]): IsolatedContext {
  const call = {
    module: "",
    pipeline: "crawl",
    stage: "load",
    item: null,
    needs: encodeOrThrow({}, "needs"),
    runId: "run",
    attempt: 1,
    idempotencyKey: "",
    scheduled,
    dir: ".",
    state: [],
  };
  return new IsolatedContext(call, () => {});
}

test("a process of its own is told for which tick its run stands, and of none where there is none", () => {
  const { scheduledFor, intervalStart, intervalEnd } = contextOf({ atMs: 900_000, fromMs: 0 });
  expect([scheduledFor, intervalStart, intervalEnd]).toEqual([
    new Date(900_000),
    new Date(0),
    new Date(900_000),
  ]);
  expect(contextOf(null).scheduledFor).toBe(undefined);
});

test("ctx.use is refused in a process of its own, with what to do instead", async () => {
  await expect(contextOf(null).use(["api", "db"])).rejects.toMatchObject({
    code: "FEATURE_UNAVAILABLE",
    message: expect.stringContaining('"api", "db"'),
    hint: expect.stringContaining("`uses`"),
  });
  await expect(contextOf(null).use("api")).rejects.toThrow('ctx.use of "api" cannot be called');
});
