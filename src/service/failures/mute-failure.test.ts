// Mutes: they say who and why, leave the group in its list, and end with another definition or by hand.

import { afterEach, expect, test } from "vitest";
import { openMillrace, type Millrace } from "../millrace.ts";
import { contextOf } from "../mill-context.ts";
import { definePipeline } from "../pipeline.ts";
import { startWatchdog } from "../watchdog/start-watchdog.ts";
import type { FailureGroupView } from "./group-failed.ts";
import { muteFailure, unmuteFailure } from "./mute-failure.ts";
import { listFailureGroups } from "./read-failures.ts";

let open: Millrace | undefined;

afterEach(async () => {
  await open?.close({ drainMs: 0 });
  open = undefined;
});

async function setup(): Promise<Millrace> {
  open = await openMillrace({ store: "memory:", graceMs: 10 });
  return open;
}

/** Runs a pipeline of that version, which fails. */
async function fail(mill: Millrace, version: string): Promise<void> {
  const run = (): never => {
    throw new Error("no");
  };
  const started = await mill.start(
    definePipeline({ name: "crawl", version, stages: [{ id: "a", run }] }),
    undefined,
  );
  await started.result();
}

async function groupOf(mill: Millrace): Promise<FailureGroupView> {
  const [group, ...others] = (await listFailureGroups(mill.store)).groups;
  expect(others).toEqual([]);
  if (group === undefined) throw new Error("there is no group");
  return group;
}

async function told(mill: Millrace): Promise<unknown[]> {
  const events = await mill.store.listEvents({ after: 0, types: ["failure.*"], limit: 9 });
  return events.map(({ type, data }) => [type, data]);
}

const by = { actor: "ana", reason: "known upstream" };

test("a muted kind stays listed, with who and why, until it comes of another definition", async () => {
  const mill = await setup();
  await fail(mill, "1");
  const { fingerprint, status } = await groupOf(mill);
  expect(status).toBe("new");

  const outcome = await muteFailure(contextOf(mill), fingerprint, by);
  expect(outcome).toMatchObject({ changed: true, group: { status: "muted", mute: by } });
  await fail(mill, "1");
  expect(await groupOf(mill)).toMatchObject({ status: "muted", mute: by, count: 2 });

  await fail(mill, "2");
  expect(await groupOf(mill)).toMatchObject({ status: "returned", mute: by, count: 3 });
  await muteFailure(contextOf(mill), fingerprint, by);
  await fail(mill, "2");
  await fail(mill, "1");
  expect((await groupOf(mill)).status).toBe("muted");
});

test("muting and unmuting is told once each, and may be repeated", async () => {
  const mill = await setup();
  await fail(mill, "1");
  const { fingerprint } = await groupOf(mill);
  const context = contextOf(mill);

  expect((await muteFailure(context, fingerprint, by)).changed).toBe(true);
  expect((await muteFailure(context, fingerprint, by)).changed).toBe(false);
  const undone = await unmuteFailure(context, fingerprint, { actor: "bo" });
  expect(undone).toMatchObject({ changed: true, group: { status: "new" } });
  expect(undone.group?.mute).toBeUndefined();
  expect((await unmuteFailure(context, fingerprint, { actor: "bo" })).changed).toBe(false);
  expect(await told(mill)).toEqual([
    ["failure.muted", { fingerprint, pipeline: "crawl", stage: "a", ...by }],
    ["failure.unmuted", { fingerprint, actor: "bo" }],
  ]);
});

test("what never failed, and a mute without a reason, are refused and tell nothing", async () => {
  const mill = await setup();
  await fail(mill, "1");
  const { fingerprint } = await groupOf(mill);
  await expect(muteFailure(contextOf(mill), "0123", by)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
  });
  for (const reason of ["", " ", "x".repeat(501)]) {
    const bad = muteFailure(contextOf(mill), fingerprint, { ...by, reason });
    await expect(bad).rejects.toMatchObject({ code: "OPTION_INVALID" });
  }
  expect(await told(mill)).toEqual([]);
});

test("of two who mute at once both are answered, and one is told", async () => {
  const mill = await setup();
  await fail(mill, "1");
  const { fingerprint } = await groupOf(mill);
  const context = contextOf(mill);
  const outcomes = await Promise.all([
    muteFailure(context, fingerprint, by),
    muteFailure(context, fingerprint, { ...by, actor: "bo" }),
  ]);
  expect(outcomes.filter(({ changed }) => changed)).toHaveLength(1);
  expect(await told(mill)).toHaveLength(1);
});

test("the watch of a service remembers the first sight, whatever became of its run", async () => {
  const mill = await setup();
  await fail(mill, "1");
  const { firstAt } = await groupOf(mill);
  const watchdog = startWatchdog(mill);
  await watchdog.look();
  await watchdog.stop();
  const [run] = await mill.store.listRuns({ limit: 1 });
  await mill.store.apply([
    { kind: "delete-runs", runIds: [run?.id ?? ""], states: ["failed"], rowsMax: 100 },
  ]);
  expect((await listFailureGroups(mill.store)).groups).toEqual([]);
  await fail(mill, "1");
  expect(await groupOf(mill)).toMatchObject({ firstAt, count: 1 });
});
