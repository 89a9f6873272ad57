// A configuration that changes while `serve` runs: what can be is in force soon after, nonsense changes nothing and is
// said until it is mended.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, type Project } from "../support/command.ts";

interface Written {
  readonly every?: string;
  readonly limit?: number;
  readonly more?: string;
  readonly stage?: string;
}

function write(
  { folder }: Project,
  { every = "10m", limit = 2, more = "", stage = "greet" }: Written,
): void {
  writeFileSync(
    join(folder, "millrace.config.ts"),
    `import { defineConfig, pipeline, stage } from "millrace";
console.log("read");
const ${stage} = stage("${stage}", { uses: ["api"] }, async () => "hello");
const hello = pipeline("hello", { output: { ${stage} } });
export default defineConfig({
  pipelines: [hello],
  resources: { api: { limit: ${limit} } },
  schedules: { often: { pipeline: "hello", every: "${every}" } },
  watchdog: { every: "200ms" },
  ${more}
});
`,
  );
}

async function eventsOf(
  project: Project,
  type: string,
): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await project.run(
    "events",
    "--type",
    type,
    "--after",
    "0",
    "--json",
    "--config",
    "empty.config.ts",
  );
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): Record<string, unknown> => JSON.parse(line));
}

test("what changes in the file is in force without a restart, and nonsense leaves what was in force", async () => {
  const project = makeProject();
  writeFileSync(join(project.folder, "empty.config.ts"), "export default {};");
  write(project, {});
  const serving = project.start("serve", "--port", "0", "--no-worker");
  await serving.says("sign in");

  write(project, { every: "1h", limit: 5, more: 'worker: { lease: "10m" },', stage: "other" });
  await serving.says(
    "millrace.config.ts was changed: resources, schedules in force; after a restart: worker.lease, pipelines",
  );
  expect((await project.run("schedule", "list")).stdout).toContain("every 1h");

  write(project, { every: "36h", limit: 0 });
  await serving.says("millrace.config.ts was changed and is not valid; what was in force stays so");
  await serving.says("schedules.often.every: expected a time under 24 h");
  await expect
    .poll(async () => await eventsOf(project, "settings.*,watchdog.warned"), { timeout: 20_000 })
    .toMatchObject([
      {
        type: "settings.applied",
        data: {
          source: "millrace.config.ts",
          changed: ["resources", "schedules"],
          restart: ["worker.lease", "pipelines"],
        },
      },
      {
        type: "settings.refused",
        data: {
          source: "millrace.config.ts",
          count: 2,
          faults: [{ key: "resources.api.limit" }, { key: "schedules.often.every" }],
        },
      },
      { type: "watchdog.warned", data: { rule: "settings-refused" } },
    ]);

  write(project, { every: "2h", limit: 5 });
  await serving.says("millrace.config.ts was changed: schedules in force");
  serving.child.kill("SIGTERM");
  expect((await serving.ended).exitCode).toBe(0);
}, 60_000);
