// Notices over real processes: what a server that is killed was about to deliver is delivered by the next one.

import { createHmac } from "node:crypto";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, type Project } from "../support/command.ts";
import { startReceiver, type Received } from "../support/listeners/receiver.ts";

const KEY = Buffer.alloc(32, 5);
const SECRET = `whsec_${KEY.toString("base64")}`;
const OTHER_KEY = Buffer.alloc(32, 6);
const OTHER_SECRET = `whsec_${OTHER_KEY.toString("base64")}`;

/** Writes the configuration; without a target nobody is told. */
function write({ folder }: Project, target?: string): void {
  writeFileSync(
    join(folder, "millrace.config.ts"),
    `import { defineConfig, pipeline, secret, stage } from "millrace";
const bad = stage("bad", {}, async () => { throw new TypeError("no good"); });
export default defineConfig({
  pipelines: [pipeline("demo", { output: { bad } })],
  watchdog: { every: "200ms" },
  ${target === undefined ? "" : `notify: { targets: { ops: { allowPrivate: true, ${target} } } },`}
});
`,
  );
}

function toTarget(url: string, secret: string = `secret("ops", process.env.OPS_SECRET)`): string {
  return `url: "${url}", secret: ${secret}`;
}

function makeTelling(url: string): Project {
  const project = makeProject({ OPS_SECRET: SECRET });
  write(project, toTarget(url));
  return project;
}

function isSignedWith(key: Buffer, { headers, body }: Received): boolean {
  const [id, time] = [headers["webhook-id"], headers["webhook-timestamp"]];
  const mac = createHmac("sha256", key).update(`${String(id)}.${String(time)}.${body}`);
  return headers["webhook-signature"] === `v1,${mac.digest("base64")}`;
}

test("a notice survives kill -9 of the server that was delivering it, and keeps its id", async () => {
  const receiver = await startReceiver(null, { status: 204 });
  const project = makeTelling(receiver.url);
  const first = project.start("serve", "--port", "0");
  await first.says("sign in");
  expect((await project.run("queue", "enqueue", "demo")).exitCode).toBe(0);
  const begun = await receiver.next();
  first.child.kill("SIGKILL");
  await first.ended;

  const second = project.start("serve", "--port", "0");
  const delivered = await receiver.next();
  expect(delivered.headers["webhook-id"]).toBe(begun.headers["webhook-id"]);
  expect(delivered.body).toBe(begun.body);
  second.child.kill("SIGTERM");
  const { exitCode, stderr } = await second.ended;
  expect([exitCode, stderr.includes(SECRET)]).toEqual([0, false]);
  expect(receiver.received).toHaveLength(2);
});

test("who is told changes with the file while it serves, nonsense changes nobody, and no secret is printed", async () => {
  const [first, other] = [
    await startReceiver({ status: 204 }),
    await startReceiver({ status: 204 }),
  ];
  const project = makeProject({ OPS_SECRET: SECRET, OTHER_SECRET });
  write(project);
  copyFileSync(join(project.folder, "millrace.config.ts"), join(project.folder, "quiet.config.ts"));
  const serving = project.start("serve", "--port", "0");
  await serving.says("sign in");
  const countInForce = (): number => serving.stderr().split(": notify in force").length - 1;
  const inForce = async (times: number): Promise<void> =>
    await expect.poll(countInForce, { timeout: 20_000 }).toBe(times);
  const failOnce = async (): Promise<void> => {
    const enqueue = ["queue", "enqueue", "demo", "--config", "quiet.config.ts"];
    expect((await project.run(...enqueue)).exitCode).toBe(0);
  };

  write(project, toTarget(first.url));
  await inForce(1);
  await failOnce();
  expect(isSignedWith(KEY, await first.next())).toBe(true);

  write(project, toTarget(other.url, `secret("other", process.env.OTHER_SECRET), retry: 3`));
  await serving.says("millrace.config.ts was changed and is not valid");
  await serving.says("notify.targets.ops.retry");
  await failOnce();
  expect(isSignedWith(KEY, await first.next())).toBe(true);

  write(project, toTarget(other.url, `secret("other", process.env.OTHER_SECRET)`));
  await inForce(2);
  await failOnce();
  expect(isSignedWith(OTHER_KEY, await other.next())).toBe(true);
  expect([first.received.length, other.received.length]).toEqual([2, 1]);

  write(project);
  await inForce(3);
  serving.child.kill("SIGTERM");
  const { exitCode, stderr } = await serving.ended;
  const found = [SECRET, OTHER_SECRET].filter((text) => stderr.includes(text));
  expect([exitCode, found]).toEqual([0, []]);
}, 60_000);

test("what is read again says no secret to whoever asks by hand", async () => {
  const project = makeProject({ OPS_SECRET: SECRET });
  write(project, toTarget("https://example.org/hook"));
  const { exitCode, stdout, stderr } = await project.run("config", "read");
  expect([exitCode, stdout.includes(SECRET), stderr.includes(SECRET)]).toEqual([2, false, false]);
});
