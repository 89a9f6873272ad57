import { expect, test } from "vitest";
import type { EventType, MillraceEvent } from "../model/event.ts";
import { recordEvents } from "./record-events.ts";

const tell = (type: EventType, stage?: string): MillraceEvent => ({
  seq: 0,
  runSeq: 1,
  atMs: 0,
  type,
  run: "r",
  ...(stage === undefined ? {} : { stage }),
});

test("events are kept in the order they came, of all stages or of one", () => {
  const recorder = recordEvents();
  recorder.onEvent(tell("run.started"));
  recorder.onEvent(tell("stage.started", "a"));
  recorder.onEvent(tell("stage.succeeded", "b"));
  expect(recorder.events).toHaveLength(3);
  expect(recorder.types()).toEqual(["run.started", "stage.started", "stage.succeeded"]);
  expect(recorder.types("a")).toEqual(["stage.started"]);
});

test("next gives an event that came already", async () => {
  const recorder = recordEvents();
  recorder.onEvent(tell("stage.started", "a"));
  recorder.onEvent(tell("stage.started", "b"));
  expect(await recorder.next((event) => event.stage === "b")).toBe(recorder.events[1]);
});

test("next waits for an event that is still to come, for each who waits", async () => {
  const recorder = recordEvents();
  const first = recorder.next(({ type }) => type === "stage.failed");
  const second = recorder.next(({ type }) => type === "stage.failed");
  const other = recorder.next(({ type }) => type === "run.failed");
  recorder.onEvent(tell("stage.started", "a"));
  recorder.onEvent(tell("stage.failed", "a"));
  recorder.onEvent(tell("stage.failed", "b"));
  expect((await Promise.all([first, second])).map(({ stage }) => stage)).toEqual(["a", "a"]);
  recorder.onEvent(tell("run.failed"));
  expect((await other).type).toBe("run.failed");
});
