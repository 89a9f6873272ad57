import { expect, test } from "vitest";
import { makeVirtualClock, type VirtualClock } from "../../../std/virtual-clock.ts";
import type { CommandBeat } from "./request.ts";
import { CommandWatch } from "./watch.ts";

interface World {
  readonly clock: VirtualClock;
  readonly watch: CommandWatch;
  readonly beats: CommandBeat[];
  readonly silences: number[];
  /** Virtual times at which the watch asked for the end. */
  readonly ends: number[];
  /** What the streams are in the middle of. */
  readonly pending: { stdout?: string; stderr?: string };
}

function setup(doneWhen: RegExp | string | null = null): World {
  const clock = makeVirtualClock();
  const beats: CommandBeat[] = [];
  const silences: number[] = [];
  const ends: number[] = [];
  const pending: World["pending"] = {};
  const watch = new CommandWatch({
    shape: { doneWhen, doneGraceMs: 30_000, silenceMs: 300_000, progressMs: 60_000 },
    clock,
    listener: {
      onBeat: (beat) => beats.push(beat),
      onSilence: (silentMs) => silences.push(silentMs),
    },
    output: { stdoutLines: 7, stderrLines: 2, peek: (stream) => pending[stream] },
    onDone: () => ends.push(clock.monotonicMs()),
  });
  watch.start();
  return { clock, watch, beats, silences, ends, pending };
}

test("R42: a beat comes at every interval, with the time and the lines so far", async () => {
  const { clock, beats } = setup();

  await clock.advance(150_000);

  expect(beats).toEqual([
    { elapsedMs: 60_000, stdoutLines: 7, stderrLines: 2 },
    { elapsedMs: 120_000, stdoutLines: 7, stderrLines: 2 },
  ]);
});

test("R41: silence is told once per silent period", async () => {
  const { clock, watch, silences } = setup();

  await clock.advance(299_999);
  expect(silences).toEqual([]);
  await clock.advance(1);
  expect(silences).toEqual([300_000]);
  await clock.advance(3_000_000);
  expect(silences).toEqual([300_000]);

  watch.noteOutput("stderr");
  await clock.advance(299_999);
  expect(silences).toHaveLength(1);
  await clock.advance(1);
  expect(silences).toEqual([300_000, 300_000]);
});

test("output in between puts the silence off", async () => {
  const { clock, watch, silences } = setup();

  await clock.advance(200_000);
  watch.noteOutput("stdout");
  await clock.advance(299_999);
  expect(silences).toEqual([]);
  await clock.advance(1);

  expect(silences).toEqual([300_000]);
});

test("after the line that means done a command has its time, and no second line prolongs it", async () => {
  const { clock, watch, ends } = setup("Listening");

  await clock.advance(1_000);
  watch.noteLine("Starting");
  expect(watch.isDone).toBe(false);
  watch.noteLine("Listening on 8080");
  expect(watch.isDone).toBe(true);
  await clock.advance(20_000);
  watch.noteLine("Listening still");
  await clock.advance(20_000);

  expect(ends).toEqual([31_000]);
});

test("a pattern that remembers where it stopped reads every line from its start all the same", () => {
  const pattern = /ready/g;
  pattern.lastIndex = 5;
  const { watch } = setup(pattern);

  watch.noteLine("ready");

  expect(watch.isDone).toBe(true);
  expect(pattern.lastIndex).toBe(5);
});

test("a line without an end is read once it stands still, and not before", async () => {
  const { clock, watch, pending } = setup(/^Done$/);

  pending.stdout = "Done";
  watch.noteOutput("stdout");
  await clock.advance(100);
  pending.stdout = "Done with 3 of 10";
  watch.noteOutput("stdout");
  await clock.advance(1_000);
  expect(watch.isDone).toBe(false);

  pending.stdout = "Done";
  watch.noteOutput("stdout");
  await clock.advance(200);

  expect(watch.isDone).toBe(true);
});

test("a noisy stream does not keep the other one from being read", async () => {
  const { clock, watch, pending } = setup("Done");

  pending.stdout = "Done";
  watch.noteOutput("stdout");
  for (let round = 0; round < 4; round += 1) {
    watch.noteOutput("stderr");
    await clock.advance(50);
  }

  expect(watch.isDone).toBe(true);
});

test("once stopped it has no timer, and notes nothing any more", async () => {
  const { clock, watch, pending } = setup("Done");
  pending.stdout = "Do";
  watch.noteOutput("stdout");

  watch.stop();
  expect(clock.pendingTimers).toBe(0);
  watch.noteLine("Done");
  watch.noteOutput("stdout");
  watch.stop();

  expect(clock.pendingTimers).toBe(0);
  expect(watch.isDone).toBe(false);
});
