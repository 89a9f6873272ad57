// One place among events, while the past is read as slowly as it may be and the topic goes on.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { MillraceEvent } from "../../../model/event.ts";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { MemoryStore } from "../../../storage/memory/memory-store.ts";
import type { EventQuery } from "../../../storage/store.ts";
import { EventRoom } from "./event-room.ts";
import type { FeedMessage } from "./feed-message.ts";
import { StreamSubscription } from "./subscription.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A store whose answers wait for their sign; a room over it that is told by hand. */
function makeScene() {
  const clock = makeVirtualClock();
  const store = new MemoryStore({ clock });
  const waiting: (() => void)[] = [];
  const slow = {
    nowMs: () => store.nowMs(),
    listEvents: async (query: EventQuery): Promise<readonly MillraceEvent[]> => {
      const found = await store.listEvents(query);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return found;
    },
  };
  let told = 0;
  const tell = async (): Promise<void> => {
    await store.apply([
      { kind: "tell-outside", runId: null, events: [{ type: "watchdog.warned" }] },
    ]);
    told += 1;
  };
  const makeRoom = (onTold: () => void): EventRoom =>
    new EventRoom({
      topic: "events",
      selection: { isComplete: true, view: ({ seq }) => ({ seq }) },
      store: slow,
      clock,
      seq: told,
      told: onTold,
    });
  const flush = async (room: EventRoom): Promise<void> => {
    const events = await store.listEvents({ after: room.seq, limit: 1_000 });
    const to = events.at(-1)?.seq ?? room.seq;
    if (events.length > 0) room.take({ events, from: room.seq, to });
  };
  const answer = async (): Promise<void> => {
    waiting.shift()?.();
    await turn();
  };
  return { clock, tell, makeRoom, flush, answer, told: () => told };
}

const move = fc.constantFrom("tell", "tell", "flush", "answer", "begin");

test("R220: however the past and what happens overlap, every number comes once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(6),
      fc.option(fc.nat(6), { nil: undefined }),
      fc.array(move, { maxLength: 30 }),
      async (past, after, moves) => {
        const scene = makeScene();
        for (let count = 0; count < past; count++) await scene.tell();
        const messages: FeedMessage[] = [];
        const client = {
          clock: scene.clock,
          unsentBytes: 0,
          send: ({ message }: { readonly message: FeedMessage }) => void messages.push(message),
        };
        const room: EventRoom = scene.makeRoom(() => subscription.pump());
        const subscription = new StreamSubscription("events", room, client);
        let begun: Promise<void> | null = null;
        for (const each of [...moves, "begin"]) {
          if (each === "tell") await scene.tell();
          if (each === "flush") await scene.flush(room);
          if (each === "answer") await scene.answer();
          if (each === "begin") begun ??= subscription.begin(Math.min(after ?? 0, past));
        }
        for (let count = 0; count < 10; count++) await scene.answer();
        await begun;
        await scene.tell();
        await scene.flush(room);
        check(messages, { from: Math.min(after ?? 0, past), to: scene.told() });
      },
    ),
    { numRuns: 300 },
  );
});

/** Each message begins where the one before ended, and together they hold every number. */
function check(messages: readonly FeedMessage[], { from, to }: { from: number; to: number }): void {
  const seqs: number[] = [];
  let cursor = from;
  for (const message of messages) {
    if (message.type === "done") expect(message.seq).toBeGreaterThanOrEqual(cursor);
    if (message.type === "done") cursor = message.seq;
    if (message.type !== "events") continue;
    expect(message.from).toBe(cursor);
    cursor = message.to;
    seqs.push(...message.events.map(({ event }) => event.seq));
  }
  expect(seqs).toEqual(Array.from({ length: to - from }, (_, index) => from + 1 + index));
}
