// `events` and `logs` of the real command: what is stored, what comes while a run goes on, and how they end.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProject } from "../support/command.ts";
import { startHost } from "../support/host.ts";

const host = startHost({
  "crawl.ts": `
import { definePipeline } from "millrace";
export const crawl = definePipeline({
  name: "crawl",
  defaults: { retry: { attempts: 2, initialDelay: "1ms", jitter: "none" } },
  stages: [
    { id: "list", retry: 1, run: (_input, ctx) => { ctx.log.debug("reads the list"); return ["a", "b"]; } },
    { id: "score", over: "list", key: (row) => row, onItemFailure: "continue", tolerate: 1,
      run: (row, _needs, ctx) => {
        ctx.log.info("scores " + row);
        if (row === "a") return 1;
        ctx.log.error("upstream said 502\\u001b[31m");
        throw new Error("HTTP 502");
      } },
  ],
});
`,
});

beforeAll(async () => {
  await host.call(["run", "crawl.ts"]);
  await host.call(["run", "crawl.ts"]);
}, 60_000);

afterAll(() => host.close());

async function read(...argv: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await host.call(argv);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  return stdout.split("\n").slice(0, -1);
}

async function documents(...argv: string[]): Promise<Record<string, unknown>[]> {
  const lines = await read(...argv, "--json");
  return lines.map((line) => ({ ...Object(JSON.parse(line)) }));
}

describe("logs", () => {
  test("one line each: time, stage, item, attempt, level and text, without control bytes", async () => {
    const lines = await read("logs", "1/score/b");
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(new RegExp(`^${time} score/b#1 info   scores b$`));
    expect(lines[3]).toMatch(
      new RegExp(`^${time} score/b#2 error  upstream said 502\\\\x1b\\[31m$`),
    );
  });

  test("are chosen by stage, level, attempt, literal text, and the last of them", async () => {
    expect(await read("logs", "1")).toHaveLength(6);
    expect(await read("logs", "1/list")).toHaveLength(1);
    expect(await read("logs", "1", "--level", "info")).toHaveLength(5);
    expect(await read("logs", "1", "--level", "error", "--attempt", "2")).toHaveLength(1);
    expect(await read("logs", "1", "--grep", "scores b")).toHaveLength(2);
    expect(await read("logs", "1", "--grep", ".*")).toEqual([]);
    const [last] = await read("logs", "1", "--tail", "1", "--grep", "scores");
    expect(last).toContain("score/b#2 info");
    expect(await read("logs", "1", "--since", "2999-01-01")).toEqual([]);
    expect(await read("logs", "1", "--since", "1h")).toHaveLength(6);
  });

  test("are JSON Lines with --json", async () => {
    const [first] = await documents("logs", "1/score/b", "--attempt", "2");
    expect(first).toMatchObject({ run: "1", stage: "score", item: "b", attempt: 2, level: "info" });
    expect(first).toMatchObject({ text: "scores b", at: expect.stringMatching(/Z$/) });
  });

  test("refuse what is not there", async () => {
    const wrong = await host.call(["logs", "1", "--level", "loud", "--attempt", "0"]);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/--attempt[^]*--level|--level[^]*--attempt/);
    expect(await host.call(["logs", "zz"])).toMatchObject({ exitCode: 2, stdout: "" });
  });
});

describe("events", () => {
  test("of a run come in order, each with number, time, run, type and facts", async () => {
    const lines = await read("events", "1");
    expect(lines[0]).toMatch(/^1 \S+Z 1 run\.created pipeline=crawl stages=2 /);
    expect(lines.at(-1)).toMatch(/^\d+ \S+Z 1 run\.succeeded durationMs=\d/);
    const failed = lines.find((line) => line.includes("item.failed"));
    expect(failed).toMatch(/ 1 item\.failed score\/b .*class=\w+ .*message="HTTP 502"/);
  });

  test("are chosen by type, number, time and tail, as JSON Lines too", async () => {
    const ends = await documents("events", "--type", "run.*", "--after", "0");
    expect(ends.map(({ type, name }) => [type, name])).toEqual([
      ["run.created", "1"],
      ["run.started", "1"],
      ["run.succeeded", "1"],
      ["run.created", "2"],
      ["run.started", "2"],
      ["run.succeeded", "2"],
    ]);
    expect(ends.every((event) => typeof event["run"] === "string")).toBe(true);
    const [, , third] = ends;
    const after = String(third?.["seq"]);
    expect(await read("events", "--type", "run.*", "--after", after)).toHaveLength(3);
    expect(await read("events", "--type", "run.*,item.failed", "--tail", "4")).toHaveLength(4);
    expect(await read("events", "--since", "2999-01-01")).toEqual([]);
    expect((await read("events", "--since", "1h")).length).toBeGreaterThan(20);
  });

  test("without a run and a place to begin are the newest 20, and the rest is named", async () => {
    const { exitCode, stdout, stderr } = await host.call(["events"]);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")).toHaveLength(21);
    expect(stdout).toContain(" 2 run.succeeded ");
    expect(stderr).toBe("from the first: npx millrace events --after 0\n");
  });

  test("refuse types that there are not, with the nearest", async () => {
    const answer = await host.call(["events", "--type", "run.faild"]);
    expect(answer).toMatchObject({ exitCode: 2, stdout: "" });
    expect(answer.stderr).toContain('did you mean "run.failed"?');
  });

  test("of a run that is over, --follow ends at once", async () => {
    expect((await read("events", "1", "--follow")).length).toBeGreaterThan(10);
    expect(await read("logs", "1", "--follow")).toHaveLength(6);
  });
});

describe("while a run goes on", () => {
  test("R220 R296: both follow it in another process, miss nothing, and end with it", async () => {
    const project = makeProject();
    const run = project.start("run", "pipelines/gated.ts#gated");
    await project.appears("at-open");
    const events = project.start("events", "last", "--follow", "--json");
    const logs = project.start("logs", "last", "--follow");
    let heard = "";
    const hears = new Promise<void>((resolve) => {
      logs.child.stdout?.on("data", (chunk: Buffer) => {
        heard += chunk.toString();
        if (heard.includes("pressing sheet-2")) resolve();
      });
    });
    await hears;
    project.touch("open");
    expect((await run.ended).exitCode).toBe(1);
    const [told, logged] = await Promise.all([events.ended, logs.ended]);
    expect([told.exitCode, logged.exitCode]).toEqual([0, 0]);
    const stored = await project.run("events", "last", "--json");
    expect(told.stdout).toBe(stored.stdout);
    expect(logged.stdout).toBe((await project.run("logs", "last")).stdout);
    expect(logged.stdout.split("\n")).toHaveLength(5);
  });

  test("a signal ends what follows, with its code", async () => {
    const project = makeProject();
    expect((await project.run("run", "pipelines/quick.ts")).exitCode).toBe(0);
    const events = project.start("events", "--follow", "--tail", "1");
    await new Promise<void>((resolve) => events.child.stdout?.once("data", () => resolve()));
    events.child.kill("SIGINT");
    const ended = await events.ended;
    expect(ended.exitCode).toBe(130);
    expect(ended.stderr).toBe("");
  });
});
