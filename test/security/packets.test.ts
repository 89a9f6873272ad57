// No telemetry: a process that serves speaks to nobody of its own accord. Every way out of Node is watched from before
// the first line of ours, in its threads too.

import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, waitFor } from "../support/command.ts";

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
import { appendFileSync, existsSync } from "node:fs";
import { connect } from "node:net";
import { defineConfig, pipeline, stage } from "millrace";
const greet = stage("greet", {}, async () => {
  appendFileSync("greeted.txt", ".");
  if (!existsSync("speak")) return;
  await new Promise((done) => connect(9, "127.0.0.1").on("error", done));
  appendFileSync("spoke", "");
});
export default defineConfig({
  pipelines: [pipeline("hello", { stages: [greet] })],
  schedules: { often: { pipeline: "hello", every: "1s" } },
});
`;

test("S42: a server that fires schedules, works and watches sends no packet; only a stage that asks for one does", async () => {
  const project = makeProject({ NODE_OPTIONS: "--import ./watch.mjs" });
  writeFileSync(join(project.folder, "watch.mjs"), WATCH);
  writeFileSync(join(project.folder, "millrace.config.ts"), CONFIG);
  const greeted = join(project.folder, "greeted.txt");
  const readLines = (): readonly string[] => project.read("out.txt").trim().split("\n");
  const serving = project.start("serve", "--port", "0");
  await project.appears("greeted.txt");
  await waitFor(
    () => "a second firing of the schedule",
    () => statSync(greeted).size > 1,
  );
  expect(new Set(readLines())).toEqual(new Set(["watching"]));
  // The same watch sees a stage that speaks.
  project.touch("speak");
  await project.appears("spoke");
  serving.child.kill("SIGTERM");
  expect((await serving.ended).exitCode).toBe(0);
  const spoken = readLines().filter((line) => line !== "watching");
  expect(spoken.length).toBeGreaterThan(0);
  for (const line of spoken) expect(line).toMatch(/^connect .*127\.0\.0\.1/);
});

/** Times as fast as the clock on the wall: ten minutes in a quarter of one. */
const FAST = 40;

/** The clock of the process and of its threads, from one beginning. */
const QUICKEN = `
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
const START_MS = ${Date.now()};
const [now, hrtime, later, every] = [Date.now, process.hrtime, setTimeout, setInterval];
Date.now = () => START_MS + (now() - START_MS) * ${FAST};
process.hrtime = (before = [0, 0]) => {
  const all = hrtime.bigint() * ${FAST}n - BigInt(before[0]) * 1000000000n - BigInt(before[1]);
  return [Number(all / 1000000000n), Number(all % 1000000000n)];
};
process.hrtime.bigint = () => hrtime.bigint() * ${FAST}n;
globalThis.setTimeout = (work, ms, ...args) => later(work, (ms ?? 0) / ${FAST}, ...args);
globalThis.setInterval = (work, ms, ...args) => every(work, (ms ?? 0) / ${FAST}, ...args);
if (isMainThread) later(() => writeFileSync("idle.txt", String(Date.now() - START_MS)), 600_000 / ${FAST}).unref();
`;

test("S42: nor does one that is idle for ten minutes of its own clock", async () => {
  const project = makeProject({ NODE_OPTIONS: "--import ./watch.mjs --import ./quicken.mjs" });
  writeFileSync(join(project.folder, "watch.mjs"), WATCH);
  writeFileSync(join(project.folder, "quicken.mjs"), QUICKEN);
  const config = CONFIG.replace('every: "1s"', 'every: "4m"');
  writeFileSync(join(project.folder, "millrace.config.ts"), config);
  const serving = project.start("serve", "--port", "0");
  await project.appears("idle.txt");
  expect(serving.child.exitCode).toBe(null);
  // Its schedules have seen the time pass.
  expect(project.read("greeted.txt").length).toBeGreaterThanOrEqual(2);
  serving.child.kill("SIGTERM");
  await serving.ended;
  expect(Number(project.read("idle.txt"))).toBeGreaterThanOrEqual(600_000);
  expect(new Set(project.read("out.txt").trim().split("\n"))).toEqual(new Set(["watching"]));
});
