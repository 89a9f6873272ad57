// What people do to a schedule while it is in use: other times, on and off. What one call does not name stays as it was,
// also what the configuration says later; each change is an event with who made it.

import { boundedText, canonicalJson } from "../../std/json.ts";
import { OptionReader } from "../../model/compile/option-reader.ts";
import {
  parseFields,
  SCHEDULE_KEYS,
  type WrittenFields,
} from "../../model/schedule/parse-schedule.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import { REASON_CHARS_MAX } from "../../model/limits.ts";
import type {
  ScheduleField,
  ScheduleFields,
  ScheduleOptions,
} from "../../model/schedule/schedule.ts";
import {
  toJson,
  type ScheduleState,
  type TickRecord,
} from "../../model/schedule/schedule-state.ts";
import type { RecordPut } from "../../storage/records/record-write.ts";
import { whileOpen } from "../commands/begin-run.ts";
import type { MillContext } from "../mill-context.ts";
import type { ScheduleView } from "../views/schedule-view.ts";
import { getTicks } from "./declare-schedules.ts";
import {
  changeState,
  getSchedule,
  putSchedule,
  tickKey,
  type KnownSchedule,
} from "./known-schedule.ts";
import { viewSchedule } from "./list-schedules.ts";
import { wakeSchedulers } from "./running-schedulers.ts";

/** Who does it, and why. */
export interface ScheduleOrderOptions {
  /** Default "program". */
  readonly actor?: string;
  /** 1 to 500 characters. Default none. */
  readonly reason?: string;
}

/** What is set: fields as they are written in the configuration; one that is absent stays as it is. */
export type ScheduleChange = Partial<Omit<ScheduleOptions, "pipeline" | "enabled">>;

/**
 * Sets fields of a schedule, for all processes and without a restart; the others stay. The next tick is found anew where
 * its times change. SCHEDULE_UNKNOWN, SCHEDULE_INVALID with every fault.
 */
export async function setSchedule(
  mill: MillContext,
  name: string,
  { change, ...order }: ScheduleOrderOptions & { readonly change: ScheduleChange },
): Promise<ScheduleView> {
  checkOrder(order);
  const fields = readChange(name, change);
  return await apply(mill, name, (known, nowMs) => {
    const merged = { ...known.state.override?.fields, ...fields };
    const after = { ...known.spec, ...fields };
    getTicks(name, after, nowMs);
    return override(known, { fields: merged, set: fields, order, nowMs });
  });
}

/** Takes back what was set of these fields, or of all: what is declared holds again. SCHEDULE_UNKNOWN. */
export async function resetSchedule(
  mill: MillContext,
  name: string,
  { fields, ...order }: ScheduleOrderOptions & { readonly fields?: readonly ScheduleField[] } = {},
): Promise<ScheduleView> {
  checkOrder(order);
  return await apply(mill, name, (known, nowMs) => {
    const { override: before } = known.state;
    if (before === null) return null;
    const kept = Object.entries(before.fields).filter(
      ([key]) => fields !== undefined && !fields.some((field) => field === key),
    );
    const merged: Partial<ScheduleFields> = Object.fromEntries(kept);
    return override(known, { fields: merged, set: before.fields, order, nowMs });
  });
}

interface Overriding {
  readonly fields: Partial<ScheduleFields>;
  /** What this call names, for the event. */
  readonly set: Partial<ScheduleFields>;
  readonly order: ScheduleOrderOptions;
  readonly nowMs: number;
}

function override(known: KnownSchedule, { fields, set, order, nowMs }: Overriding): Change | null {
  const before = known.state.override?.fields ?? {};
  if (canonicalJson(before) === canonicalJson(fields)) return null;
  const { actor = "program", reason } = order;
  const isEmpty = Object.keys(fields).length === 0;
  const next = isEmpty ? null : { fields, actor, atMs: nowMs };
  const data = {
    schedule: known.name,
    fields: Object.keys(set),
    actor,
    ...(reason === undefined ? {} : { reason }),
  };
  return {
    state: changeState(known.state, { override: next }, nowMs),
    event: { type: "schedule.set", data },
  };
}

/**
 * Switches a schedule on or off: it stays so, over restarts and over what its file says, until somebody says otherwise.
 * While it is off nothing accumulates; ticks that waited for a run are skipped. SCHEDULE_UNKNOWN; SCHEDULE_INVALID for
 * one that its file does not name any more.
 */
export async function switchSchedule(
  mill: MillContext,
  name: string,
  { enabled, ...order }: ScheduleOrderOptions & { readonly enabled: boolean },
): Promise<ScheduleView> {
  checkOrder(order);
  const { actor = "program", reason } = order;
  return await apply(mill, name, (known, nowMs) => {
    const { state } = known;
    if (enabled && state.removed) throw removed(name);
    if (state.switched?.enabled === enabled && known.spec.enabled === enabled) return null;
    const switched = { enabled, actor, atMs: nowMs, reason: reason ?? null };
    const changed = changeState(state, { switched }, nowMs);
    const dropped = enabled ? [] : state.waiting;
    const type = enabled ? "schedule.enabled" : "schedule.disabled";
    const data = { schedule: name, actor, ...(reason === undefined ? {} : { reason }) };
    return {
      state: { ...changed, waiting: dropped.length === 0 ? state.waiting : [] },
      event: { type, data },
      dropped,
    };
  });
}

function removed(name: string): MillraceError {
  return new MillraceError(
    "SCHEDULE_INVALID",
    `Schedule "${name}" cannot be switched on: the configuration does not name it any more.`,
    { hint: "put it back into millrace.config.ts", details: { schedule: name } },
  );
}

interface Change {
  readonly state: ScheduleState;
  readonly event: EventDraft;
  /** Ticks that waited and are skipped. */
  readonly dropped?: readonly number[];
}

/** Tries until nobody was first; null: nothing is to be changed. */
async function apply(
  mill: MillContext,
  name: string,
  change: (known: KnownSchedule, nowMs: number) => Change | null,
): Promise<ScheduleView> {
  await whileOpen(mill, async () => {
    for (;;) {
      const known = await getSchedule(mill, name);
      const changed = change(known, mill.store.nowMs());
      if (changed === null) return;
      const skipped = (changed.dropped ?? []).map((atMs) => toSkipped(known, atMs));
      const result = await mill.committer.write({
        kind: "put-records",
        puts: [putSchedule(known, changed.state), ...skipped.map(({ put }) => put)],
        events: [changed.event, ...skipped.map(({ event }) => event)],
      });
      if (result.kind === "recorded") return;
      if (result.kind !== "record-conflict") {
        throw new MillraceError("STORE_FAILED", `The schedule was not stored: ${result.kind}.`);
      }
    }
  });
  wakeSchedulers(mill);
  return await viewSchedule(mill, name);
}

function toSkipped(
  { name, spec }: KnownSchedule,
  atMs: number,
): { readonly put: RecordPut; readonly event: EventDraft } {
  const reason = "switched off";
  const record: TickRecord = { atMs, decision: "skipped", reason };
  const key = tickKey(name, atMs);
  const at = new Date(atMs).toISOString();
  return {
    put: { collection: "ticks", key, expected: null, value: toJson(record) },
    event: {
      type: "schedule.skipped",
      data: { schedule: name, at, reason, pipeline: spec.pipeline },
    },
  };
}

function readChange(name: string, change: ScheduleChange): WrittenFields {
  const faults: DefinitionFault[] = [];
  const options = new OptionReader({ ...change }, name, faults);
  options.refuseUnknown(SCHEDULE_KEYS.filter((key) => key !== "pipeline" && key !== "enabled"));
  const fields = parseFields(options);
  if (faults.length === 0 && Object.keys(fields).length > 0) return fields;
  const lines = faults.map(({ path, message }) =>
    path === name ? message : `${path.slice(name.length + 1)}: ${message}`,
  );
  const said = faults.length === 0 ? "nothing is to be set" : lines.join("; ");
  throw new MillraceError("SCHEDULE_INVALID", `Schedule "${name}" cannot be set so: ${said}.`, {
    hint: "one of cron, every and dailyAt; timezone is an IANA name",
    details: { schedule: name, faults: faults.map((fault) => ({ ...fault })) },
  });
}

/** OPTION_INVALID for words that are too long to be kept. */
export function checkOrder(order: ScheduleOrderOptions): void {
  for (const [what, text] of Object.entries({ actor: order.actor, reason: order.reason })) {
    if (text === undefined || (text.length >= 1 && text.length <= REASON_CHARS_MAX)) continue;
    throw new MillraceError(
      "OPTION_INVALID",
      `The ${what} of an order has 1 to ${REASON_CHARS_MAX} characters; got "${boundedText(text, 40)}".`,
    );
  }
}
