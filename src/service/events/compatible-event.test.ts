// Every type of event in both shapes.

import assert from "node:assert/strict";
import { test } from "vitest";
import {
  EPHEMERAL_EVENT_TYPES,
  type EventType,
  type MillraceEvent,
  STORED_EVENT_TYPES,
} from "../../model/event.ts";
import { parseEventView, toEventView } from "../views/event-view.ts";
import { toCompatibleEvent, type CompatibleEvent } from "./compatible-event.ts";

const TYPES: readonly EventType[] = [...STORED_EVENT_TYPES, ...EPHEMERAL_EVENT_TYPES];
const AT_MS = Date.UTC(2026, 6, 14, 8, 31, 7, 412);
const RUN = "0194f3a0-0000-7000-8000-000000000000";

const WORDS = new Set(
  "start success failure failed skipped log metric progress error state_change heartbeat run_blocked manual_requested enabled disabled scheduled_run_started timeout state_inconsistency".split(
    " ",
  ),
);

function make(type: EventType, run: string): MillraceEvent {
  const isOfStage = run !== "" && /^(?:stage|item)\./.test(type);
  return {
    seq: 7,
    runSeq: run === "" ? 0 : 3,
    atMs: AT_MS,
    type,
    run,
    ...(isOfStage ? { stage: "score", attempt: 2 } : {}),
    ...(type.startsWith("item.") ? { item: "row-7" } : {}),
    data: { message: "said so", rows: 1 },
  };
}

test("R217: every type has number, time, type in past tense and run, in our form and in the older one", () => {
  for (const type of TYPES) {
    assert.match(
      type,
      /^[a-z]+\.(?:[a-z]+_)*(?:[a-z]+ed|fell_silent|waiting|set|reset|heartbeat)$/,
      type,
    );
    for (const run of [RUN, ""]) {
      const event = make(type, run);
      const view = toEventView(event);
      assert.deepEqual(Object.keys(view).slice(0, 5), ["seq", "runSeq", "at", "type", "run"]);
      assert.equal(view.at, "2026-07-14T08:31:07.412Z");
      assert.equal(view.run, run === "" ? null : RUN);
      assert.deepEqual(parseEventView(JSON.parse(JSON.stringify(view))), view);

      const older = toCompatibleEvent(event);
      assert.deepEqual(Object.keys(older), [
        "run_id",
        "stage",
        "event",
        "timestamp",
        "msg",
        "data",
      ]);
      assert.equal(older.run_id, run === "" ? "__system__" : RUN);
      assert.ok(WORDS.has(older.event), `${type} is "${older.event}"`);
      assert.equal(older.timestamp, "2026-07-14T08:31:07.412Z");
      assert.equal(older.msg, "said so");
      assert.equal(older.data["type"], type);
      if (run === "")
        assert.ok(["system", "scheduler", "watchdog"].includes(older.stage), older.stage);
      else assert.equal(older.stage, expectedStage(type));
    }
  }
});

function expectedStage(type: EventType): string {
  if (/^(?:stage|item)\./.test(type)) return "score";
  if (type.startsWith("schedule.")) return "scheduler";
  return type.startsWith("watchdog.") ? "watchdog" : "pipeline";
}

test("R203: how a run ended is one word, and no failure is told as a success", () => {
  const wordOf = (type: EventType): string => toCompatibleEvent(make(type, RUN)).event;
  assert.deepEqual(
    (["run.succeeded", "run.failed", "run.skipped", "run.cancelled"] as const).map(wordOf),
    ["success", "failed", "skipped", "state_change"],
  );
  const successes = TYPES.filter((type) => wordOf(type) === "success");
  assert.deepEqual(successes, ["run.succeeded", "stage.succeeded", "item.succeeded"]);
});

test("R217: an event that came in the older form goes out as it came; what only looks like one does not", () => {
  const came = { run_id: "night-7", stage: "translator", event: "progress", data: { done: 12 } };
  const tell = (data: NonNullable<MillraceEvent["data"]>): CompatibleEvent =>
    toCompatibleEvent({ ...make("external.reported", ""), data });
  const kept = {
    name: "translator.progress",
    source: "compatible",
    at: "2026-01-01T00:00:00.000Z",
  };
  assert.deepEqual(tell({ ...kept, data: came, message: "12 of 60" }), {
    ...came,
    timestamp: "2026-01-01T00:00:00.000Z",
    msg: "12 of 60",
  });
  const others = [
    { ...kept, source: "cron", data: came },
    { ...kept, data: { ...came, stage: 7 } },
    { ...kept, data: [] },
    kept,
  ];
  for (const data of others) assert.equal(tell(data).event, "log");
});

test("what is no event is not read as one", () => {
  const good = toEventView(make("run.failed", RUN));
  assert.ok(parseEventView(good));
  for (const change of [
    { seq: -1 },
    { seq: "7" },
    { runSeq: 1.5 },
    { at: "x" },
    { type: "run.*" },
    { type: "run.lost" },
    { run: 7 },
  ])
    assert.equal(parseEventView({ ...good, ...change }), undefined);
  for (const value of [null, 1, "x", [], {}]) assert.equal(parseEventView(value), undefined);
});
