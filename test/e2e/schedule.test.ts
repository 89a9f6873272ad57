// The verbs of schedules, as somebody calls them: what they print, what they change, and how they end.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, parseDocument, type Project } from "../support/command.ts";

const CONFIG = (schedules: string): string => `
import { defineConfig, pipeline, stage } from "millrace";
const tell = stage("tell", {}, (_needs, ctx) => ctx.scheduledFor?.toISOString() ?? null);
const wait = stage("wait", {}, (_needs, ctx) => ctx.sleep("1m"));
const fail = stage("fail", {}, () => { throw new Error("no"); });
export default defineConfig({
  pipelines: [
    pipeline("crawl", { output: { tell } }),
    pipeline("slow", { output: { wait } }),
    pipeline("broken", { output: { fail } }),
  ],
  schedules: ${schedules},
});
`;

const SCHEDULES = `{
  nightly: { pipeline: "crawl", dailyAt: "02:30", timezone: "America/Chicago", tags: { a: "b" } },
  quarter: { pipeline: "crawl", every: "15m", timezone: "America/Chicago" },
}`;

function makeScheduled(schedules: string = SCHEDULES): Project {
  const project = makeProject();
  writeFileSync(join(project.folder, "millrace.config.ts"), CONFIG(schedules));
  return project;
}

test("R232 R233 R234: the next ticks are told in UTC and local time, with notes, exactly on a mark too", async () => {
  const project = makeScheduled();
  const quarter = await project.run(
    "schedule",
    "next",
    "quarter",
    "-n",
    "2",
    "--json",
    "--after",
    "2026-07-01T15:15:00Z",
  );
  expect(quarter.exitCode).toBe(0);
  expect(parseDocument(quarter)).toEqual({
    schema: "millrace.schedule-next/1",
    ticks: [
      {
        schedule: "quarter",
        zone: "America/Chicago",
        at: "2026-07-01T15:30:00.000Z",
        local: "2026-07-01 10:30:00-05:00",
      },
      {
        schedule: "quarter",
        zone: "America/Chicago",
        at: "2026-07-01T15:45:00.000Z",
        local: "2026-07-01 10:45:00-05:00",
      },
    ],
  });
  const nightly = await project.run(
    "schedule",
    "next",
    "nightly",
    "-n",
    "2",
    "--after",
    "2026-03-08T00:00:00Z",
  );
  expect(nightly.stdout).toContain(
    "2026-03-08 03:00:00-05:00 America/Chicago  clocks went from 02:00 to 03:00 before",
  );
});

test("R231: a time of day that cannot be is exit 2, in the file and by hand", async () => {
  const bad = makeScheduled(`{ nightly: { pipeline: "crawl", dailyAt: "25:00" } }`);
  const listed = await bad.run("schedule", "list");
  expect(listed.exitCode).toBe(2);
  expect(listed.stderr).toContain('schedules.nightly.dailyAt: expected a time from "00:00"');
  const never = makeScheduled(`{ nightly: { pipeline: "crawl", cron: "0 0 30 2 *" } }`);
  const asked = await never.run("schedule", "next");
  expect(asked.exitCode).toBe(2);
  expect(asked.stderr).toContain('"nightly" would never fire');
  const project = makeScheduled();
  const set = await project.run("schedule", "set", "nightly", "dailyAt=25:00");
  expect(set.exitCode).toBe(2);
  expect(set.stderr).toContain('got "25:00"');
});

test("R235 R237: what is set and switched by hand is kept, told with who and why, and taken back", async () => {
  const project = makeScheduled();
  const list = async (): Promise<readonly unknown[]> => {
    const { schedules } = parseDocument(await project.run("schedule", "list", "--json"));
    if (!Array.isArray(schedules)) throw new Error("no list");
    return schedules;
  };
  const [before] = await list();
  expect((await project.run("schedule", "set", "nightly", "dailyAt=03:15")).exitCode).toBe(0);
  const [after] = await list();
  expect(after).toEqual({
    ...Object(before),
    when: "daily 03:15",
    nextAt: expect.any(String),
    override: { actor: expect.any(String), at: expect.any(String), fields: ["when"] },
  });
  const off = await project.run("schedule", "disable", "nightly", "--reason", "they move");
  expect(off.stdout).toMatch(
    /^nightly: daily 03:15 America\/Chicago, when set by hand, off by .*: they move$/m,
  );
  expect((await project.run("schedule", "reset", "nightly")).exitCode).toBe(0);
  expect((await list())[0]).toMatchObject({
    when: "daily 02:30",
    enabled: false,
    changedBy: { reason: "they move" },
    tags: { a: "b" },
  });
  expect((await project.run("schedule", "list")).stdout).toMatch(/nightly .* no, by /);
  expect((await project.run("schedule", "enable", "nightly")).stdout).toMatch(/, next 2/);
});

test("a run is triggered once at a time: the second is exit 4 with the run to look at", async () => {
  const project = makeScheduled();
  const first = await project.run("schedule", "trigger", "nightly", "--json");
  expect(first.exitCode).toBe(0);
  expect(parseDocument(first)).toMatchObject({
    schema: "millrace.schedule-trigger/1",
    run: { pipeline: "crawl", state: "queued", tags: { a: "b", schedule: "nightly" } },
  });
  const second = await project.run("schedule", "trigger", "nightly");
  expect(second.exitCode).toBe(4);
  expect(second.stderr).toContain("npx millrace show 1");
  expect((await project.run("queue", "run", "--drain")).exitCode).toBe(0);
  expect((await project.run("schedule", "trigger", "nightly")).exitCode).toBe(0);
});

test("a backfill lists what it would run and changes nothing; an unknown name is exit 2 with the nearest", async () => {
  const project = makeScheduled();
  const range = ["--from", "2026-03-07T00:00:00Z", "--until", "2026-03-09T12:00:00Z"];
  const listed = await project.run("schedule", "backfill", "nightly", ...range, "-n");
  expect(listed.exitCode).toBe(0);
  expect(listed.stdout).toContain("would run 3 ticks of nightly");
  expect(listed.stdout).toContain("2026-03-08T08:00:00.000Z");
  expect((await project.run("runs")).stdout).not.toContain("crawl");
  const late = ["--from", "2026-03-07T00:00:00Z", "--until", "2999-01-01T00:00:00Z"];
  expect((await project.run("schedule", "backfill", "nightly", ...late)).exitCode).toBe(2);
  const unknown = await project.run("schedule", "enable", "nightl");
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toContain('did you mean "nightly"?');
});

test("R241: one run for an outside scheduler ends with 0, 1 or 5, and every process on the store sees it", async () => {
  const project = makeScheduled("{}");
  const codes = await Promise.all([
    project.run("run", "crawl", "--deadline", "600s"),
    project.run("run", "broken", "--deadline", "600s"),
    project.run("run", "slow", "--deadline", "500ms"),
  ]);
  expect(codes.map(({ exitCode }) => exitCode)).toEqual([0, 1, 5]);
  const { runs } = parseDocument(await project.run("runs", "--json"));
  expect(runs).toHaveLength(3);
  expect(runs).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ pipeline: "crawl", state: "succeeded" }),
      expect.objectContaining({ pipeline: "broken", state: "failed" }),
      expect.objectContaining({ pipeline: "slow", state: "failed" }),
    ]),
  );
}, 20_000);
