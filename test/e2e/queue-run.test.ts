// `queue run` and `run --items`: work the queue, in the order of the lines, and stop without losing anything.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, parseDocument, type Project } from "../support/command.ts";
import { startInPty } from "../support/pty-command.ts";

const PAGES = "pipelines/pages.ts";

function writeLines(project: Project, lines: readonly unknown[], name = "pages.jsonl"): string {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(join(project.folder, name), text);
  return name;
}

/** The most runs that were between their begin and their end at once. */
function mostAtOnce(project: Project): number {
  let now = 0;
  let most = 0;
  for (const line of project.read("effects").trimEnd().split("\n")) {
    now += line.startsWith("begin") ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

function linesOf(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("R60: a batch gives one result per line in their order, two at once, and a failed run stops no other", async () => {
  const project = makeProject();
  const file = writeLines(
    project,
    [4, -1, 2, 7, -5, 1, 3].map((n) => ({ key: `page ${n}`, n })),
  );
  const ended = await project.run("run", PAGES, "--items", file, "-j", "2");

  expect(ended.exitCode).toBe(1);
  const results = linesOf(ended.stdout);
  expect(results.map(({ key, state }) => [key, state])).toEqual([
    ["page 4", "succeeded"],
    ["page -1", "failed"],
    ["page 2", "succeeded"],
    ["page 7", "succeeded"],
    ["page -5", "failed"],
    ["page 1", "succeeded"],
    ["page 3", "succeeded"],
  ]);
  expect(results[3]?.["outputs"]).toEqual({ doubled: 14 });
  expect(results[1]?.["error"]).toMatchObject({ message: "there is no page -1" });
  expect(mostAtOnce(project)).toBe(2);
  expect(ended.stderr).toContain("7: 5 succeeded, 2 failed");
});

test("the same batch again does only what is new, and answers for all lines", async () => {
  const project = makeProject();
  const lines = [1, 2].map((n) => ({ id: `p${n}`, n }));
  const file = writeLines(project, lines);
  const first = await project.run("run", PAGES, "--items", file);
  writeLines(project, [{ id: "p0", n: 0 }, ...lines]);
  const second = await project.run("run", PAGES, "--items", file, "--json");

  expect(first.exitCode).toBe(0);
  expect(second.exitCode).toBe(0);
  expect(parseDocument(second)).toMatchObject({
    schema: "millrace.run-items/1",
    runs: 1,
    results: [{ key: "p0" }, { key: "p1" }, { key: "p2" }],
  });
  expect(project.read("effects").match(/begin/g)?.length).toBe(3);
});

test("R181 R173 R102: queue run drains with 0, or 1 where runs failed; stopped, it ends what runs and returns the rest", async () => {
  const project = makeProject();
  const slow = writeLines(
    project,
    [1, 2, 3, 4, 5].map((n) => ({ id: `p${n}`, n, waits: true })),
  );
  await project.run("queue", "import", slow, PAGES);
  const working = project.start("queue", "run", PAGES, "--drain", "-j", "2");
  await project.appears("at-open");
  working.child.kill("SIGTERM");
  await working.says("stopping");
  project.touch("open");
  const stopped = await working.ended;
  expect(stopped.exitCode).toBe(143);
  expect(stopped.stderr).toContain("npx millrace queue run pipelines/pages.ts --drain");
  const left = parseDocument(await project.run("queue", "stats", "--json"));
  // What ran has ended its stage; a run that had more to do went back with that checkpoint.
  expect(left).toMatchObject({ pipelines: [{ counts: { running: 0, failed: 0 } }] });
  const begunBefore = project.read("effects").match(/begin/g)?.length ?? 0;
  expect(begunBefore).toBeLessThanOrEqual(2);

  const rest = await project.run("queue", "run", PAGES, "--drain", "--json");
  expect(rest.exitCode).toBe(0);
  expect(project.read("effects").match(/begin/g)?.length).toBe(5);
  const counts = parseDocument(await project.run("queue", "stats", "--json"));
  expect(counts).toMatchObject({ pipelines: [{ counts: { succeeded: 5, total: 5 } }] });

  await project.run("queue", "enqueue", PAGES, "--input", '{"n":-9}');
  expect((await project.run("queue", "run", PAGES, "--drain")).exitCode).toBe(1);
});

test("what queues failures again is printed with --yes where nobody can be asked, and without on a terminal", async () => {
  const project = makeProject();
  await project.run("queue", "enqueue", PAGES, "--input", '{"n":-9}');
  const piped = await project.run("queue", "run", PAGES, "--drain");
  const pasted = await project.run("queue", "retry-failed", "--yes");
  const { folder } = project;
  const terminal = startInPty({ folder, columns: 120, rows: 30 }, "queue", "run", PAGES, "--drain");
  await terminal.ended;

  expect(piped.stderr).toContain("npx millrace queue retry-failed --yes  ");
  expect(pasted).toMatchObject({ exitCode: 0, stdout: "queued 1 failed run\n" });
  expect(terminal.bytes()).toContain("npx millrace queue retry-failed  ");
});

test("R104: 0 and 257 runs at once are refused", async () => {
  const project = makeProject();
  for (const count of ["0", "257"]) {
    const refused = await project.run("queue", "run", PAGES, "-j", count);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("expected a whole number from 1 to 256");
  }
});

test("a worker that is killed loses no run, and another brings its runs to their ends", async () => {
  const project = makeProject();
  const file = writeLines(
    project,
    [1, 2, 3].map((n) => ({ id: `p${n}`, n, waits: true })),
  );
  await project.run("queue", "import", file, PAGES);
  const killed = project.start("queue", "run", PAGES, "--drain");
  await project.appears("at-open");
  killed.child.kill("SIGKILL");
  await killed.ended;
  project.touch("open");
  const rest = await project.run("queue", "run", PAGES, "--drain", "--json");
  expect(rest.exitCode).toBe(0);
  const stats = parseDocument(await project.run("queue", "stats", "--json"));
  expect(stats).toMatchObject({ pipelines: [{ counts: { succeeded: 3, total: 3 } }] });
  expect(readFileSync(join(project.folder, "effects"), "utf8").match(/end/g)?.length).toBe(3);
});

test("a batch that is stopped between its turns queues no more, and the same command does the rest", async () => {
  const project = makeProject();
  const file = writeLines(
    project,
    [1, 2, 3, 4, 5].map((n) => ({ key: `p${n}`, n, waits: true })),
  );
  const words = ["run", "pipelines/few.ts", "--items", file];
  const working = project.start(...words);
  await project.appears("at-open");
  working.child.kill("SIGTERM");
  await working.says("stopping");
  project.touch("open");
  const stopped = await working.ended;
  const queued = parseDocument(await project.run("queue", "stats", "--json"));
  const rest = await project.run(...words);

  expect(stopped.exitCode).toBe(143);
  expect(queued).toMatchObject({ pipelines: [{ counts: { running: 0, total: 2 } }] });
  expect(rest.exitCode).toBe(0);
  expect(linesOf(rest.stdout).map(({ key, state }) => [key, state])).toEqual(
    [1, 2, 3, 4, 5].map((n) => [`p${n}`, "succeeded"]),
  );
  expect(project.read("effects").match(/begin/g)?.length).toBe(5);
});
