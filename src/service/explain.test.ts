import { afterEach, expect, test } from "vitest";
import type { Context } from "../model/context.ts";
import type { EventType } from "../model/event.ts";
import { MemoryStore } from "../storage/memory/memory-store.ts";
import { systemClock } from "../std/clock.ts";
import { makeSeededRandom } from "../std/random.ts";
import { makeIdSource } from "../std/id.ts";
import { encodeValue } from "../std/value.ts";
import { explainRun, type ExplainAddress, type Explanation } from "./explain.ts";
import { readWaitHistory } from "./explain/wait-history.ts";
import { openMillrace, type Millrace } from "./millrace.ts";
import { definePipeline, type Pipeline, type StageById } from "./pipeline.ts";
import { findRun } from "./queries/find-run.ts";
import type { RunHandle } from "./run-handle.ts";

let open: Millrace | undefined;

afterEach(async () => {
  await open?.close({ drainMs: 0 });
  open = undefined;
});

interface World {
  readonly mill: Millrace;
  readonly start: (stages: readonly StageById[], options?: object) => Promise<RunHandle>;
  readonly why: (address?: ExplainAddress) => Promise<Explanation>;
}

/** A mill in memory, and pipelines that are made as they are started. */
async function setup(): Promise<World> {
  const made: Pipeline[] = [];
  const mill = await openMillrace({ store: "memory:", pipelines: made });
  open = mill;
  return {
    mill,
    start: (stages, options = {}) =>
      mill.start(definePipeline({ name: "made", stages, ...options }), undefined),
    why: async (address) => explainRun(mill.store, await findRun(mill.store, "last"), address),
  };
}

function next(handle: RunHandle, type: EventType): Promise<void> {
  return new Promise((resolve) => {
    const stop = handle.onEvent((event) => {
      if (event.type !== type) return;
      stop();
      resolve();
    });
  });
}

const fails = (message: string) => () => {
  throw new Error(message);
};
/** Runs until it is told to stop. */
const untilStopped = (_input: unknown, context: Context): Promise<never> =>
  new Promise((_resolve, reject) => {
    context.signal.addEventListener("abort", () => reject(context.signal.reason));
  });

test("a run that succeeded says so, with its time and number of stages", async () => {
  const { start, why } = await setup();
  await (await start([{ id: "a", run: () => 1 }])).result();

  const { subject, state, summary, blockers } = await why();

  expect({ subject, state }).toEqual({ subject: "1", state: "succeeded" });
  expect(summary).toMatch(/^1 succeeded in \d+ms: 1 stage\.$/);
  expect(blockers.map((blocker) => blocker.kind)).toEqual(["finished"]);
});

test("R68: why of an upstream_failed stage names the stage that failed, with its error", async () => {
  const { start, why } = await setup();
  const run = await start([
    { id: "fetch", run: fails("no route to host") },
    { id: "parse", needs: ["fetch"], run: () => 1 },
    { id: "save", needs: ["parse"], run: () => 1 },
  ]);
  await run.result();

  const parse = await why({ stage: "parse" });
  const save = await why({ stage: "save" });

  expect(parse.state).toBe("upstream_failed");
  expect(parse.summary).toContain('it needs "fetch", which failed with unknown: no route to host');
  expect(parse.notes).toContain("says more: npx millrace why 1/fetch");
  expect(save.state).toBe("upstream_failed");
  expect(save.summary).toContain('"fetch"');
});

test("a failed run names the stage that failed it, and how to go on", async () => {
  const { start, why } = await setup();
  await (await start([{ id: "fetch", run: fails("no route") }])).result();

  const run = await why();
  const stage = await why({ stage: "fetch" });

  expect(run.summary).toBe('1 failed because "fetch" failed with unknown: no route.');
  expect(run.notes).toContain("redoes what failed, keeps the rest: npx millrace resume 1");
  expect(stage.summary).toContain("failed after 1 of 1 attempt: unknown: no route");
});

test("a stage that other failures ended early names the failure and failFast", async () => {
  const { start, why } = await setup();
  const run = await start([
    { id: "bad", run: fails("broken") },
    { id: "slow", run: () => systemClock.sleep(5) },
    { id: "late", needs: ["slow"], run: () => 1 },
  ]);
  await run.result();

  const late = await why({ stage: "late" });

  expect(late.state).toBe("cancelled");
  expect(late.summary).toContain('"bad" failed first, and the pipeline ends early then (failFast)');
});

test("a skipped stage says who skipped it", async () => {
  const { mill, why } = await setup();
  const pipeline = definePipeline({
    name: "made",
    stages: [
      { id: "a", run: () => 1 },
      { id: "b", run: () => 1, when: () => false },
    ],
  });
  await (await mill.start(pipeline, undefined, { skip: ["a"] })).result();

  expect((await why({ stage: "a" })).summary).toContain(
    "left out when the run was started (--skip",
  );
  expect((await why({ stage: "b" })).summary).toBe("1/b was skipped: its `when` said no.");
});

test("a stage that waits for its next attempt says which, when, and after what", async () => {
  const { start, why } = await setup();
  const retry = { attempts: 3, initialDelay: "1h", maxDelay: "1h", jitter: "none" };
  const run = await start([{ id: "call", run: fails("busy"), retry }]);
  await next(run, "stage.waiting");

  const stage = await why({ stage: "call" });
  const whole = await why();

  expect(stage.state).toBe("waiting");
  expect(stage.summary).toMatch(
    /^1\/call is waiting for attempt 2 of 3 in (1h|59m.*|60m), after unknown: busy\.$/,
  );
  expect(stage.blockers).toMatchObject([{ kind: "retry", name: "call", basis: "exact" }]);
  expect(stage.notes[0]).toBe("attempt 1 failed with unknown: busy; then a wait of 1h");
  expect(whole.state).toBe("running");
  expect(whole.blockers).toMatchObject([{ kind: "retry", name: "call" }]);
  // Nothing runs, and that is known: a silent process is no part of the answer.
  expect(whole.notes.join()).not.toContain("not said");
});

test("past waits are listed with their totals by cause", async () => {
  const { mill, start } = await setup();
  let calls = 0;
  const run = await start([
    {
      id: "call",
      run: () => {
        calls += 1;
        if (calls < 3) throw new Error("busy");
        return calls;
      },
      retry: { attempts: 3, initialDelay: 5, factor: 1, jitter: "none" },
    },
  ]);
  await run.result();

  const record = await findRun(mill.store, "last");
  const { waits, totalsMs } = await readWaitHistory(mill.store, record, { stage: "call" });

  expect(waits).toHaveLength(2);
  expect(waits[0]?.blocker.text).toBe("attempt 1 failed with unknown: busy");
  expect(Date.parse(waits[0]?.to ?? "") - Date.parse(waits[0]?.from ?? "")).toBe(5);
  expect(totalsMs["retry"]).toBeGreaterThanOrEqual(10);
});

test("a pending stage names the needs it waits for, and what runs is read from the worker's beat", async () => {
  const { mill, start, why } = await setup();
  await start([
    { id: "first", run: untilStopped },
    { id: "second", needs: ["first"], run: () => 1 },
  ]);
  const record = await findRun(mill.store, "last");
  const owner = record.lease?.owner;
  if (owner === undefined) throw new Error("The run has no owner.");
  await mill.store.beat(owner, ["1/first"]);

  const first = await why({ stage: "first" });
  const second = await why({ stage: "second" });
  const whole = await why();

  expect(first).toMatchObject({ state: "running", blockers: [] });
  expect(second.state).toBe("pending");
  expect(second.summary).toBe('1/second is pending: needs "first", which is running.');
  expect(second.blockers).toMatchObject([{ kind: "needs", name: "first" }]);
  expect(whole.notes).toContain("runs now: first");
});

test("an interrupted run waits for resume, and so does everything in it", async () => {
  const { start, why } = await setup();
  const run = await start([{ id: "slow", run: untilStopped }]);
  await run.interrupt(0);

  const whole = await why();
  const stage = await why({ stage: "slow" });

  expect(whole.state).toBe("waiting");
  expect(whole.blockers).toMatchObject([{ kind: "interrupted", name: "1" }]);
  expect(whole.notes).toContain("goes on after the last commit: npx millrace resume 1");
  expect(stage.blockers).toMatchObject([{ kind: "interrupted" }]);
});

test("a cancelled run says for what reason", async () => {
  const { start, why } = await setup();
  const run = await start([{ id: "slow", run: untilStopped }]);
  await run.cancel("wrong input");

  expect((await why()).summary).toBe('1 was cancelled: "wrong input".');
  expect((await why({ stage: "slow" })).summary).toContain('was cancelled: "wrong input"');
});

test.each([
  [true, "npx millrace resume 1"],
  [false, "npx millrace queue run --drain"],
])(
  "a run whose process is gone says so, although the row still says running (foreground: %s)",
  async (foreground, next) => {
    const store = new MemoryStore({ clock: systemClock });
    const id = makeIdSource(systemClock, makeSeededRandom(1))();
    const input = encodeValue(null);
    if (!input.ok) throw new Error("null can be stored");
    const definition = definePipeline({ name: "made", stages: [{ id: "a", run: () => 1 }] });
    const owner = { worker: "w", host: "elsewhere", pid: 7, bootId: "", processStart: "" };
    await store.apply([
      {
        kind: "create-run",
        run: {
          id,
          pipeline: "made",
          definitionHash: definition.hash,
          key: null,
          input: input.value,
          inputVersion: "0",
          foreground,
          parent: null,
          source: "test",
          tags: {},
          settings: {},
        },
        definitionJson: definition.definition.json,
        // A lease that is over, and by more than its grace.
        claim: { owner, leaseMs: -60_000 },
        events: [],
      },
    ]);

    const answer = await explainRun(store, await findRun(store, "1"));

    expect(answer.summary).toBe(
      "1 is interrupted: process 7 on elsewhere, which worked on it, is gone.",
    );
    expect(answer.blockers).toMatchObject([{ kind: "interrupted" }]);
    expect(answer.notes).toContain(`goes on after the last commit: ${next}`);
  },
);

test("items say why they failed, waited or were begun, and an unknown one is refused", async () => {
  const { start, why } = await setup();
  const run = await start([
    { id: "list", run: () => ["good", "bad"] },
    {
      id: "each",
      over: "list",
      key: (item: string) => item,
      onItemFailure: "continue",
      run: (item: string) => {
        if (item === "bad") throw new Error("rotten");
        return item;
      },
    },
  ]);
  await run.result();

  const bad = await why({ stage: "each", item: "bad" });
  const good = await why({ stage: "each", item: "good" });
  const each = await why({ stage: "each" });

  expect(bad.summary).toBe("1/each/bad failed after 1 of 1 attempts: unknown: rotten.");
  expect(good.summary).toMatch(/^1\/each\/good succeeded in \d+ms\.$/);
  expect(each.notes).toContain("2 items: 1 succeeded, 1 failed");
  expect(each.notes).toContain("lists them: npx millrace items 1/each --state failed");
  await expect(why({ stage: "each", item: "other" })).rejects.toMatchObject({
    code: "ITEM_UNKNOWN",
    details: { given: "other" },
  });
});

test("an unknown stage is refused with the valid names and the nearest", async () => {
  const { start, why } = await setup();
  await (await start([{ id: "score", run: () => 1 }])).result();

  await expect(why({ stage: "scroe" })).rejects.toMatchObject({
    code: "STAGE_UNKNOWN",
    hint: 'did you mean "score"?',
    details: { given: "scroe", known: ["score"] },
  });
});

test("a map stage speaks of its items, not of their attempts added up", async () => {
  const { start, why } = await setup();
  await (await start([{ id: "each", over: [1, 2, 3], key: String, run: () => 1 }])).result();
  expect((await why({ stage: "each" })).summary).toMatch(/^1\/each succeeded in \d+ms\.$/);

  const broken = { id: "each", over: [1, 2, 3], key: String, run: fails("torn") };
  await (await start([{ ...broken, concurrency: 1 }])).result();
  const { summary } = await why({ stage: "each" });
  expect(summary).toContain("torn");
  expect(summary).toContain("first failed item: 1");
  expect(summary).not.toContain("attempt");
});
