// Notices over real processes: what a server that is killed was about to deliver is delivered by the next one.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, type Project } from "../support/command.ts";
import { startReceiver } from "../support/listeners/receiver.ts";

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;

function makeTelling(url: string): Project {
  const project = makeProject({ OPS_SECRET: SECRET });
  writeFileSync(
    join(project.folder, "millrace.config.ts"),
    `import { defineConfig, pipeline, secret, stage } from "millrace";
const bad = stage("bad", {}, async () => { throw new TypeError("no good"); });
export default defineConfig({
  pipelines: [pipeline("demo", { output: { bad } })],
  notify: {
    targets: {
      ops: { url: "${url}", secret: secret("ops", process.env.OPS_SECRET), allowPrivate: true },
    },
  },
});
`,
  );
  return project;
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
