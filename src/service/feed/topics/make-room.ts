// From what a client calls a topic to what keeps it up: one room for all who ask the same.

import { selectEventTypes } from "../../../model/event.ts";
import type { Clock } from "../../../std/clock.ts";
import type { MillContext } from "../../mill-context.ts";
import { findRun, runName } from "../../queries/find-run.ts";
import { isLogLineOf, LOG_LEVELS, toLogLine } from "../../events/list-logs.ts";
import { toEventView } from "../../views/event-view.ts";
import { checkEventTypes } from "../check-event-types.ts";
import { EntryRoom } from "./entry-room.ts";
import type { EntrySource } from "./entry-source.ts";
import { EventRoom, type EventSelection } from "./event-room.ts";
import type { FeedRoom } from "./feed-room.ts";
import type { TopicOrder } from "./feed-session.ts";
import { RunSource } from "./sources/run-source.ts";
import { RunsSource } from "./sources/runs-source.ts";
import { makeWholeSource, type SourceScene } from "./sources/whole-source.ts";
import { parseTopic, type TopicFilter, type TopicName } from "./topic-name.ts";

/** What rooms read from. */
export type RoomScene = SourceScene;

/** What a room is given by the feed. */
export interface RoomSide {
  readonly clock: Clock;
  /** Number of the last event that was handed out. */
  readonly seqNow: () => number;
  /** Told when there is something to send. */
  readonly told: () => void;
}

/** A room that may exist already. */
export interface RoomPlan {
  /** Equal for all who may share it. */
  readonly key: string;
  readonly make: (side: RoomSide) => FeedRoom;
}

/** Which room an order means. OPTION_INVALID, RUN_NOT_FOUND. */
export async function describeRoom(scene: RoomScene, order: TopicOrder): Promise<RoomPlan> {
  const { topic, filter = {} } = order;
  const name = parseTopic(topic);
  const key = JSON.stringify([topic, filter]);
  if (name.kind === "events" || name.kind === "logs") {
    const selection = await select(scene.mill, name, filter);
    return { key, make: (side) => makeEventRoom(scene.mill, { topic, selection, side }) };
  }
  const source = await makeSource(scene, name);
  return {
    key,
    make: ({ clock, seqNow, told }) => new EntryRoom({ topic, source, clock, seqNow, told }),
  };
}

async function makeSource(
  scene: RoomScene,
  name: Exclude<TopicName, { readonly kind: "events" | "logs" }>,
): Promise<EntrySource> {
  if (name.kind === "runs") return new RunsSource(scene.mill);
  if (name.kind !== "run") return makeWholeSource(scene, name.kind);
  return new RunSource(scene.mill, (await findRun(scene.mill.store, name.run)).id);
}

function makeEventRoom(
  { store }: MillContext,
  at: { readonly topic: string; readonly selection: EventSelection; readonly side: RoomSide },
): EventRoom {
  const { clock, seqNow, told } = at.side;
  const { topic, selection } = at;
  return new EventRoom({ topic, selection, store, clock, seq: seqNow(), told });
}

async function select(
  { store }: MillContext,
  name: Extract<TopicName, { readonly kind: "events" | "logs" }>,
  filter: TopicFilter,
): Promise<EventSelection> {
  if (name.kind === "logs") {
    const run = await findRun(store, name.run);
    return selectLines(run, filter);
  }
  const { run, types, complete = false } = { ...name.filter, ...filter };
  if (types !== undefined) checkEventTypes(types);
  const record = run === undefined ? undefined : await findRun(store, run);
  return {
    ...(record === undefined ? {} : { runId: record.id }),
    // Without an order of their own, so that who asks the same shares the same.
    ...(types === undefined ? {} : { types: [...selectEventTypes(types)].toSorted() }),
    isComplete: complete,
    view: toEventView,
  };
}

function selectLines(
  run: { readonly id: string; readonly number: number },
  { stage, item, levels, grep }: TopicFilter,
): EventSelection {
  const short = runName(run);
  const known = levels?.filter((level) => LOG_LEVELS.some((each) => each === level));
  const query = {
    ...(stage === undefined ? {} : { stage }),
    ...(item === undefined ? {} : { item }),
    ...(known === undefined ? {} : { levels: known }),
    ...(grep === undefined ? {} : { grep }),
  };
  return {
    runId: run.id,
    types: ["stage.logged"],
    isComplete: true,
    view: (event) => {
      const line = toLogLine(event, short);
      return line !== undefined && isLogLineOf(line, query) ? line : undefined;
    },
  };
}
