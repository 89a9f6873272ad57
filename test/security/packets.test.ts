// No telemetry: a process that serves speaks to nobody of its own accord. Every way out of Node is watched from before
// the first line of ours, in its threads too.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../support/command.ts";
import { waitFor } from "../support/command.ts";

const WATCH = `
import { appendFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
const require = createRequire(import.meta.url);
const { isIP } = require("node:net");
const file = new URL("out.txt", import.meta.url);
const note = (what) => appendFileSync(file, what + "\\n");
const watch = (owner, name, what) => {
  const real = owner[name];
  owner[name] = function (...args) { if (what !== "dns" || !isIP(String(args[0]))) note(what + " " + JSON.stringify(args.filter((arg) => typeof arg !== "function"))); return real.apply(this, args); };
};
watch(require("node:net").Socket.prototype, "connect", "connect");
watch(require("node:dgram"), "createSocket", "udp");
for (const name of ["lookup", "resolve", "resolve4", "resolve6"]) {
  watch(require("node:dns"), name, "dns");
  watch(require("node:dns/promises"), name, "dns");
}
syncBuiltinESMExports();
note("watching");
`;

const CONFIG = `
import { connect } from "node:net";
import { defineConfig, pipeline, stage } from "millrace";
const hello = pipeline("hello", { output: { greet: stage("greet", {}, () => "hello") } });
const speaks = pipeline("speaks", {
  output: {
    knock: stage("knock", {}, () => new Promise((done) => connect(9, "127.0.0.1").on("error", () => done("refused")))),
  },
});
export default defineConfig({
  pipelines: [hello, speaks],
  schedules: { often: { pipeline: "hello", every: "1s" } },
});
`;

test("S42: a server that fires schedules, works and watches sends no packet; only a stage that asks for one does", async () => {
  const project = makeProject({ NODE_OPTIONS: "--import ./watch.mjs" });
  writeFileSync(join(project.folder, "watch.mjs"), WATCH);
  writeFileSync(join(project.folder, "millrace.config.ts"), CONFIG);
  const readLines = (): readonly string[] => project.read("out.txt").trim().split("\n");
  const serving = project.start("serve", "--port", "0");
  await serving.says("sign in");
  const events = join(project.folder, ".millrace", "store.db");
  await waitFor(
    () => "two firings of the schedule",
    () => (readFileSync(events, "latin1") + readWal(events)).split("schedule.fired").length > 2,
  );
  expect(new Set(readLines())).toEqual(new Set(["watching"]));
  // The same watch sees a stage that speaks.
  await project.run("queue", "enqueue", "speaks");
  await waitFor(
    () => "the stage to knock",
    () => readLines().length > readLines().filter((line) => line === "watching").length,
  );
  serving.child.kill("SIGTERM");
  expect((await serving.ended).exitCode).toBe(0);
  const spoken = readLines().filter((line) => line !== "watching");
  expect(spoken).toHaveLength(1);
  expect(spoken[0]).toMatch(/^connect .*127\.0\.0\.1/);
});

function readWal(path: string): string {
  try {
    return readFileSync(`${path}-wal`, "latin1");
  } catch {
    return "";
  }
}
