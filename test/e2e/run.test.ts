// `run`, `resume` and `rerun` as a shell sees them: exit codes, what goes to which stream, what is kept.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeProject, parseDocument, type Ended } from "../support/command.ts";

const GATED = "pipelines/gated.ts#gated";
const SLOWLY = "pipelines/gated.ts#slowly";
const WARNED = "pipelines/gated.ts#warned";
const RETRIED = "pipelines/gated.ts#retried";
const PRINTING = "pipelines/gated.ts#printing";

/** The commands that a closing block proposes, as words. */
function nextCommands({ stderr }: Ended): string[][] {
  return [...stderr.matchAll(/npx millrace ([^\n]*?)(?: {3}|$)/gm)].map(([, words = ""]) =>
    words.split(" "),
  );
}

describe("endings", () => {
  test("a run that succeeds ends with 0, says so on stderr and nothing on stdout", async () => {
    const project = makeProject();
    project.touch("open");
    project.touch("mended");
    const ended = await project.run("run", GATED, "--input", '{"rows":3}');
    expect(ended).toMatchObject({ exitCode: 0, stdout: "" });
    expect(ended.stderr).toMatch(/^00:00:\d\d run 1 started gated definition=\w{6} stages=3 /);
    expect(ended.stderr).toMatch(/^✓ succeeded {2}gated 1 in /m);
    expect(ended.stderr).toContain("Outputs   sum  6");
    expect(ended.stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("a run that fails ends with 1, resume redoes what failed, and then there is nothing to resume", async () => {
    const project = makeProject();
    project.touch("open");
    const failed = await project.run("run", GATED);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("npx millrace resume 1");
    expect(failed.stderr).toContain("npx millrace why 1/press/sheet-1");
    project.touch("mended");
    const resumed = await project.run("resume");
    expect(resumed.exitCode).toBe(0);
    expect(resumed.stderr).toContain(
      "resuming gated 1: 1 stage and 3 items kept; 1 stage and 1 item to do",
    );
    expect(resumed.stderr).toContain("Outputs   sum  12");
    const again = await project.run("resume");
    expect(again).toMatchObject({ exitCode: 0, stdout: "" });
    expect(again.stderr).toBe("nothing to resume: no run failed or was interrupted\n");
    const named = await project.run("resume", "1");
    expect(named).toMatchObject({ exitCode: 0 });
    expect(named.stderr).toContain("run 1 has succeeded; to do it again: npx millrace rerun 1");
  });

  test("resume where nothing was ever run has nothing to do, and makes no store", async () => {
    const project = makeProject();
    const ended = await project.run("resume", "--json");
    expect(ended.exitCode).toBe(0);
    expect(parseDocument(ended)).toMatchObject({ schema: "millrace.resume/1", runs: [] });
    expect(() => project.read(".millrace/store.db")).toThrow("ENOENT");
  });

  test("R38: a failing stage that is not critical leaves exit 0, and exit 3 under --strict", async () => {
    const project = makeProject();
    const ended = await project.run("run", WARNED);
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toMatch(/✓ succeeded .*▲ 1 warning/);
    expect((await project.run("run", WARNED, "--strict")).exitCode).toBe(3);
    expect((await project.run("run", RETRIED, "--strict")).exitCode).toBe(0);
  });

  test("R75: --no-retry makes exactly one attempt", async () => {
    const project = makeProject();
    const ended = await project.run("run", RETRIED, "--no-retry", "--json");
    expect(ended.exitCode).toBe(1);
    expect(parseDocument(ended)).toMatchObject({
      stages: expect.arrayContaining([
        expect.objectContaining({ stage: "flaky", attempts: 1, state: "failed" }),
      ]),
    });
    expect(ended.stderr).toContain("stage flaky failed");
    expect(ended.stderr).not.toContain("stage flaky waiting");
    expect((await project.run("run", RETRIED)).exitCode).toBe(0);
  });

  test("R199: an unknown stage ends with 2, lists the names and says what was meant", async () => {
    const project = makeProject();
    const ended = await project.run("run", WARNED, "--only", "finale", "--json");
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("  given  --only finale\n  known  page, extra, final\n");
    expect(ended.stderr).toContain(`next   npx millrace run ${WARNED} --only final`);
    expect(parseDocument(ended)).toMatchObject({
      schema: "millrace.error/1",
      error: { code: "STAGE_UNKNOWN" },
    });
  });

  test("a run past its deadline ends with 5", async () => {
    const project = makeProject();
    const ended = await project.run("run", SLOWLY, "--deadline", "200ms");
    expect(ended.exitCode).toBe(5);
    expect(ended.stderr).toMatch(/◆ failed .*\n {2}Reason {4}deadline/);
  });

  test("a log file that cannot be written ends with 6 before anything starts", async () => {
    const project = makeProject();
    project.touch("file");
    const ended = await project.run("run", WARNED, "--log-file", "file/below.log");
    expect(ended.exitCode).toBe(6);
    expect(ended.stderr).toContain('the log file "file/below.log" cannot be written');
    expect(() => project.read(".millrace/store.db")).toThrow("ENOENT");
  });

  test("a key that has ended is shown and not run again; one that is active is refused with 4", async () => {
    const project = makeProject();
    const first = await project.run("run", WARNED, "--key", "a1", "--json");
    expect(parseDocument(first)).toMatchObject({ created: true, run: { name: "1", key: "a1" } });
    const second = await project.run("run", WARNED, "--key", "a1", "--json", "--strict");
    expect(parseDocument(second)).toMatchObject({ created: false, run: { name: "1" } });
    expect(second.stderr).toContain('run 1 has the key "a1" and is not run again\n');
    expect(second.stderr).not.toContain("started");
    expect(second.exitCode).toBe(3);
    const active = project.start("run", SLOWLY, "--key", "a1");
    await project.appears("at-open");
    const refused = await project.run("run", SLOWLY, "--key", "a1");
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain("RUN_KEY_CONFLICT (exit 4)");
    project.touch("open");
    expect((await active.ended).exitCode).toBe(0);
  });

  test("a run that a live process holds is not resumed: exit 4", async () => {
    const project = makeProject();
    const holder = project.start("run", SLOWLY);
    await project.appears("at-open");
    const refused = await project.run("resume", "last");
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain("RUN_BUSY (exit 4)");
    project.touch("open");
    await holder.ended;
  });
});

describe("interruption", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s lets running work finish, parks the run and ends with %d",
    async (signal, exitCode) => {
      const project = makeProject();
      project.touch("mended");
      const running = project.start("run", GATED);
      await project.appears("at-open");
      running.child.kill(signal);
      await running.says("stopping");
      project.touch("open");
      const ended = await running.ended;
      expect(ended.exitCode).toBe(exitCode);
      expect(ended.stderr).toMatch(/resume with: npx millrace resume 1\n/);
      expect(ended.stderr).toMatch(/⧗ waiting {2}gated 1 after .*\n {2}Reason {4}interrupted/);
      const resumed = await project.run("resume");
      expect(resumed.exitCode).toBe(0);
      expect(resumed.stderr).toContain("Outputs   sum  12");
    },
  );

  test("a second signal aborts at once", async () => {
    const project = makeProject();
    const running = project.start("run", SLOWLY);
    await project.appears("at-open");
    running.child.kill("SIGINT");
    await running.says("abort=20s");
    running.child.kill("SIGINT");
    await running.says("abort=now");
    expect((await running.ended).exitCode).toBe(130);
    project.touch("open");
    expect((await project.run("resume", "1")).exitCode).toBe(0);
  });

  test("R103: after a second signal the process ends although its work hangs, and the run is not lost", async () => {
    const project = makeProject();
    const running = project.start("run", "pipelines/gated.ts#deaf");
    await project.appears("at-open");
    running.child.kill("SIGTERM");
    await running.says("abort=20s");
    running.child.kill("SIGTERM");
    const ended = await running.ended;
    expect(ended.exitCode).toBe(143);
    expect(ended.stderr).toContain("npx millrace resume 1");
    project.touch("open");
    expect((await project.run("resume")).exitCode).toBe(0);
  });

  test("a third signal ends even what does not listen, and resume takes over from the dead process", async () => {
    const project = makeProject();
    const running = project.start("run", "pipelines/gated.ts#deaf");
    await project.appears("at-open");
    running.child.kill("SIGINT");
    await running.says("abort=20s");
    running.child.kill("SIGINT");
    await running.says("abort=now");
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ exitCode: null, signal: "SIGINT" });
    project.touch("open");
    expect((await project.run("resume")).exitCode).toBe(0);
  });

  test("after kill -9 the run is found by resume, and what was done stays done", async () => {
    const project = makeProject();
    project.touch("mended");
    const running = project.start("run", GATED, "--log", "json");
    await running.says('"item":"sheet-3"');
    running.child.kill("SIGKILL");
    await running.ended;
    project.touch("open");
    const resumed = await project.run("resume", "--json");
    expect(resumed.exitCode).toBe(0);
    expect(parseDocument(resumed)).toMatchObject({
      run: { name: "1", crashes: 1 },
      outputs: { sum: 12 },
    });
  });

  test("a reader that goes away starts a drain", async () => {
    const project = makeProject();
    const running = project.start("run", GATED, "--log", "json");
    await project.appears("at-open");
    running.child.stderr?.destroy();
    project.touch("open");
    project.touch("mended");
    await new Promise((resolve) => running.child.on("exit", resolve));
    expect(running.child.exitCode).toBe(130);
  });
});

describe("what is printed", () => {
  test("--json is one document, whatever user code prints, and stderr is unchanged", async () => {
    const project = makeProject();
    const ended = await project.run("run", PRINTING, "--json", "--tag", "team=a", "--tag", "x=y=z");
    expect(ended.exitCode).toBe(0);
    expect(parseDocument(ended)).toMatchObject({
      schema: "millrace.run/1",
      created: true,
      run: { name: "1", state: "succeeded", tags: { team: "a", x: "y=z" } },
      stages: [{ stage: "loud", state: "succeeded", attempts: 1 }],
      outputs: { loud: { text: "\u001b[31mred" } },
      failures: [],
      metrics: {},
      next: ["npx millrace show 1"],
    });
    expect(ended.stdout).not.toContain("\u001b");
    expect(ended.stderr).toContain("printed by user code\n");
    expect(ended.stderr).toContain("half a line\n");
  });

  test("without --json what user code prints goes where it was sent", async () => {
    const project = makeProject();
    const ended = await project.run("run", PRINTING);
    expect(ended.stdout).toBe("printed by user code\nhalf a line");
    expect(ended.stderr).not.toContain("printed by user code");
  });

  test("R230: lines of logs have time, level and text, and the log file receives the same", async () => {
    const project = makeProject();
    const ended = await project.run("run", PRINTING, "--logs", "all", "--log-file", "logs/run.log");
    expect(ended.stderr).toMatch(/^00:00:\d\d info loud │ an \\x1b\[2Jinfo line$/m);
    expect(ended.stderr).toMatch(/^00:00:\d\d warn loud │ a warning line$/m);
    expect(ended.stderr).not.toContain("a debug line");
    expect(project.read("logs/run.log")).toBe(ended.stderr);
    await project.run("run", PRINTING, "--logs", "all", "--log-file", "logs/run.log", "-q");
    expect(project.read("logs/run.log").match(/info loud │/g)).toHaveLength(2);
  });

  test("results that outputs name are listed when they are there", async () => {
    const project = makeProject();
    project.touch("report.txt");
    expect((await project.run("run", WARNED)).stderr).toContain("Results   report.txt");
  });

  test("a store in memory is gone at the end, so nothing is proposed", async () => {
    const project = makeProject();
    const ended = await project.run("run", WARNED, "--store", "memory:");
    expect(ended.exitCode).toBe(0);
    expect(nextCommands(ended)).toEqual([]);
  });

  test("proposed commands carry the store they are about, and work", async () => {
    const project = makeProject();
    project.touch("open");
    const ended = await project.run("run", GATED, "--store", "sqlite:other.db");
    const commands = nextCommands(ended);
    expect(commands.map(([verb]) => verb)).toEqual(["resume", "why"]);
    project.touch("mended");
    for (const words of commands) {
      expect(words.slice(-2)).toEqual(["--store", "sqlite:other.db"]);
      expect((await project.run(...words)).exitCode).toBe(0);
    }
  });

  test.each([
    ["agent", /^\[RUN\] 1 warned stages=3\n/],
    ["json", /^\{"seq":/],
    ["quiet", /^✓ succeeded/],
    ["live", /^--log live is not possible: stderr is no terminal; showing lines\n/],
  ])("--log %s", async (form, start) => {
    const project = makeProject();
    expect((await project.run("run", WARNED, "--log", form)).stderr).toMatch(start);
  });

  test("--ascii, and a locale without UTF-8, print nothing above 0x7e", async () => {
    const ascii = await makeProject().run("run", WARNED, "--ascii");
    expect(ascii.stderr).toMatch(/^[\n\x20-\x7e]*$/);
    const plain = await makeProject({ LANG: "C" }).run("run", WARNED);
    expect(plain.stderr).toMatch(/^[\n\x20-\x7e]*$/);
  });
});

describe("selection and reruns", () => {
  test("--skip, --until and --only leave the rest out", async () => {
    const project = makeProject();
    const skipped = await project.run("run", WARNED, "--skip", "extra", "--json");
    expect(parseDocument(skipped)).toMatchObject({ outputs: { final: { more: "skipped" } } });
    const until = await project.run("run", WARNED, "--until", "page", "--json");
    expect(until.exitCode).toBe(0);
    expect(parseDocument(until)).toMatchObject({ outputs: {} });
    const only = await project.run("run", WARNED, "--only", "final");
    expect(only.exitCode).toBe(0);
    const nothing = await makeProject().run("run", WARNED, "--only", "final");
    expect(nothing.exitCode).toBe(2);
    expect(nothing.stderr).toContain("CHECKPOINT_MISSING (exit 2)");
  });

  test("--from takes earlier results over and says how many", async () => {
    const project = makeProject();
    project.touch("open");
    project.touch("mended");
    await project.run("run", GATED);
    const ended = await project.run("run", GATED, "--from", "sum", "--json");
    expect(ended.exitCode).toBe(0);
    expect(parseDocument(ended)).toMatchObject({ outputs: { sum: 12 }, kept: { stages: 2 } });
    expect(ended.stderr).toContain("Kept      2 stages");
  });

  test("rerun makes a new run, --only-failed redoes what failed, --set changes the input", async () => {
    const project = makeProject();
    project.touch("open");
    await project.run("run", GATED, "--input", '{"rows":4}');
    project.touch("mended");
    const rerun = await project.run("rerun", "1", "--only-failed", "--json");
    expect(rerun.exitCode).toBe(0);
    expect(parseDocument(rerun)).toMatchObject({
      run: { name: "2", state: "succeeded" },
      outputs: { sum: 12 },
      kept: { stages: 1, items: 3 },
    });
    const changed = await project.run("rerun", "last", "--set", "rows=3", "--json");
    expect(parseDocument(changed)).toMatchObject({ run: { name: "3" }, outputs: { sum: 6 } });
    const both = await project.run("rerun", "last", "--set", "rows=2", "--only-failed");
    expect(both.exitCode).toBe(2);
  });

  test("-n of resume and rerun says what would be done, and does nothing", async () => {
    const project = makeProject();
    project.touch("open");
    await project.run("run", GATED);
    const resume = await project.run("resume", "-n");
    expect(resume).toMatchObject({ exitCode: 0, stderr: "" });
    expect(resume.stdout).toMatch(/list +checkpoint/);
    expect(resume.stdout).toContain("start: npx millrace resume 1");
    const rerun = await project.run("rerun", "1", "--from", "sum", "-n", "--json");
    expect(parseDocument(rerun)).toMatchObject({ schema: "millrace.plan/1", work: true });
    expect((await project.run("show", "last", "--json")).stdout).toContain('"name": "1"');
    expect((await project.run("show", "1", "--json")).stdout).toContain('"state": "failed"');
  });

  test("a run whose pipeline file is gone says where it was", async () => {
    const project = makeProject();
    project.touch("open");
    await project.run("run", GATED);
    rmSync(join(project.folder, "pipelines"), { recursive: true });
    const ended = await project.run("resume");
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("PIPELINE_NOT_FOUND (exit 2)");
  });
});
