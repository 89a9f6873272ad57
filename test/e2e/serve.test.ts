// `millrace serve` as a process: what it says first, that it works and answers, and how it ends.

import { createServer } from "node:net";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeProject, type Project } from "../support/command.ts";
import { writeFileSync } from "node:fs";

function makeServed(): Project {
  const project = makeProject();
  writeFileSync(
    join(project.folder, "millrace.config.ts"),
    `import { defineConfig } from "millrace";
import { pipeline, stage } from "millrace";
const greet = stage("greet", {}, async () => "hello");
const hello = pipeline("hello", { output: { greet } });
export default defineConfig({ pipelines: [hello], server: { compatible: { pipeline: "hello" } } });
`,
  );
  return project;
}

function tokenOf({ folder }: Project): string {
  return readFileSync(join(folder, ".millrace", "token"), "utf8").trim();
}

test("serve says where it is, works the queue, answers who has the token, and drains with 0 on a signal", async () => {
  const project = makeServed();
  const queued = await project.run("queue", "enqueue", "hello", "--json");
  expect(queued.exitCode).toBe(0);
  const serving = project.start("serve", "--port", "0", "--json");
  await serving.says("sign in (60 s, once): http://127.0.0.1:");
  expect(serving.stderr()).toMatch(
    /^millrace \S+ {2}http:\/\/127\.0\.0\.1:\d+\/ {3}store sqlite:\.millrace\/store\.db {3}worker \S+ \(8 slots\), 0 schedules$/m,
  );
  const [, url = ""] = /(http:\/\/127\.0\.0\.1:\d+)\/ /.exec(serving.stderr()) ?? [];
  expect(statSync(join(project.folder, ".millrace", "token")).mode & 0o777).toBe(0o600);
  expect(serving.stderr()).not.toContain(tokenOf(project));
  const headers = { authorization: `Bearer ${tokenOf(project)}` };
  await expect
    .poll(
      async () => JSON.stringify(await (await fetch(`${url}/api/v1/queue`, { headers })).json()),
      {
        timeout: 15_000,
      },
    )
    .toContain('"succeeded":1');
  expect((await fetch(`${url}/api/v1/queue`)).status).toBe(401);
  const older = await fetch(`${url}/api/pipeline/status`, { headers });
  expect(await older.json()).toMatchObject({ state: "success", status: "idle", retry_count: 0 });
  serving.child.kill("SIGTERM");
  const { exitCode, stdout, stderr } = await serving.ended;
  expect([exitCode, stderr.includes("stopping (SIGTERM)")]).toEqual([0, true]);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: "millrace.serve/1",
    url,
    pid: serving.child.pid,
    store: "sqlite:.millrace/store.db",
  });
});

test("a port that is taken is exit 4, and an address that others can reach without TLS is exit 2", async () => {
  const project = makeServed();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const [taken, unsafe] = await Promise.all([
    project.run("serve", "--port", String(port)),
    project.run("serve", "--host", "0.0.0.0"),
  ]);
  expect([taken.exitCode, taken.stderr.includes("PORT_IN_USE")]).toEqual([4, true]);
  expect([unsafe.exitCode, unsafe.stderr.includes("SERVER_UNSAFE")]).toEqual([2, true]);
});

test("R298: a token that the command makes opens what its role allows, until it is revoked", async () => {
  const project = makeServed();
  const serving = project.start("serve", "--port", "0", "--no-worker", "--no-schedules");
  await serving.says("sign in");
  expect(serving.stderr()).toContain("no worker, no schedules here");
  const [, url = ""] = /(http:\/\/127\.0\.0\.1:\d+)\/ /.exec(serving.stderr()) ?? [];
  const made = await project.run("token", "create", "ci", "--expires", "1d");
  expect(made.exitCode).toBe(0);
  const token = made.stdout.trim();
  const ask = async (method: string, path: string): Promise<number> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    return response.status;
  };
  expect([await ask("GET", "/api/v1/session"), await ask("GET", "/api/v1/tokens")]).toEqual([
    200, 403,
  ]);
  const listed = await project.run("token", "list", "--json");
  expect(JSON.parse(listed.stdout)).toMatchObject({
    tokens: [{ name: "ci", role: "read", state: "active" }],
  });
  expect(listed.stdout).not.toContain(token.slice(token.indexOf(".") + 1));
  expect((await project.run("token", "revoke", "ci")).exitCode).toBe(0);
  expect(await ask("GET", "/api/v1/session")).toBe(401);
  expect((await project.run("token", "revoke", "nobody")).exitCode).toBe(2);
  serving.child.kill("SIGINT");
  expect((await serving.ended).exitCode).toBe(0);
});
