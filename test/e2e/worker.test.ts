// `worker`: works the queues of a project until a signal comes, and says what it is.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, type Project } from "../support/command.ts";

function makeConfigured(): Project {
  const project = makeProject();
  writeFileSync(
    join(project.folder, "millrace.config.ts"),
    [
      `import { defineConfig } from "millrace";`,
      `import { pages } from "./pipelines/pages.ts";`,
      `export default defineConfig({ pipelines: [pages], worker: { concurrency: 3, stopAfter: "10s" } });`,
      "",
    ].join("\n"),
  );
  return project;
}

test("R114: a worker works what is queued while it lives, up to its limit, and a signal ends it well", async () => {
  const project = makeConfigured();
  const lines = Array.from({ length: 5 }, (_, n) =>
    JSON.stringify({ key: `p${n}`, n, waits: true }),
  );
  writeFileSync(join(project.folder, "pages.jsonl"), `${lines.join("\n")}\n`);
  expect((await project.run("queue", "import", "pages.jsonl", "pages")).exitCode).toBe(0);
  const worker = project.start("worker", "--name", "w1", "--json");
  await worker.says("worker w1 (3 slots), 1 pipeline");
  await project.appears("at-open");
  const stats = await project.run("queue", "stats", "--json");
  expect(JSON.parse(stats.stdout)).toMatchObject({
    pipelines: [{ counts: { running: 3, queued: 2 } }],
  });
  worker.child.kill("SIGTERM");
  await worker.says("stopping (SIGTERM): nothing is claimed now");
  project.touch("open");
  const ended = await worker.ended;

  expect([ended.exitCode, ended.signal]).toEqual([0, null]);
  const [first = "", ...rest] = ended.stdout.trimEnd().split("\n");
  expect(rest).toEqual([]);
  expect(JSON.parse(first)).toEqual({
    schema: "millrace.worker/1",
    pid: worker.child.pid,
    worker: "w1",
    store: "sqlite:.millrace/store.db",
  });
  const after = await project.run("queue", "stats", "--json");
  expect(JSON.parse(after.stdout)).toMatchObject({
    // Each is back with what it has done: its second stage is left.
    pipelines: [{ counts: { running: 0, queued: 5 } }],
  });
  expect(project.read("effects").match(/end/g)).toHaveLength(3);
});

test("a worker of a pipeline that nobody knows is told its name", async () => {
  const ended = await makeConfigured().run("worker", "--pipelines", "page");
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain('there is no pipeline "page"');
  expect(ended.stderr).toContain('did you mean "pages"?');
});
