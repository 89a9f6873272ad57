import { pipeline, stage } from "millrace";
import { expect, onTestFinished, test } from "vitest";
import type { RunRecord } from "../../model/run.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { contextOf } from "../mill-context.ts";
import { openMillrace } from "../millrace.ts";

import { judgeOwner } from "./interrupt-abandoned.ts";

test("a run that got its lease back is given its time anew when it is seen without one again", async () => {
  const clock = makeVirtualClock();
  const only = pipeline("only", { output: { done: stage("done", {}, () => 1) } });
  const opened = await openMillrace({ store: "memory:", pipelines: [only], clock });
  onTestFinished(() => opened.close({ drainMs: 0 }));
  const mill = contextOf(opened);
  const queued = opened.enqueue(only, [{ input: undefined }]);
  await clock.advance(0);
  await queued;
  const [run] = await mill.store.listRuns({ limit: 1 });
  if (run === undefined) throw new Error("There is no run.");
  const without: RunRecord = { ...run, state: "running", lease: null };
  const owner = { worker: "w", host: "elsewhere", pid: 1, bootId: "", processStart: "" };
  const lease = (): RunRecord["lease"] => ({ owner, expiresAtMs: mill.store.nowMs() + 1_000 });

  expect(judgeOwner(mill, without)).toBe("alive");
  expect(judgeOwner(mill, { ...without, lease: lease() })).toBe("alive");
  await clock.advance(mill.leaseMs);
  expect(judgeOwner(mill, without)).toBe("alive");
  await clock.advance(mill.leaseMs);
  expect(judgeOwner(mill, without)).toBe("gone");
});
