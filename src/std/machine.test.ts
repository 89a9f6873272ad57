import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "vitest";
import { systemMachine, type ProcessIdentity } from "./machine.ts";

const self: ProcessIdentity = {
  host: systemMachine.host,
  pid: systemMachine.pid,
  bootId: systemMachine.bootId,
  processStart: systemMachine.processStart,
};
const isLinux = process.platform === "linux";

test("this process lives", () => {
  assert.equal(systemMachine.isGone(self), isLinux ? false : undefined);
});

test("of a process on another host nothing is known", () => {
  assert.equal(systemMachine.isGone({ ...self, host: "elsewhere", bootId: "other" }), undefined);
});

test.skipIf(!isLinux)("a process of an earlier boot is gone, though its pid is in use", () => {
  assert.equal(systemMachine.isGone({ ...self, bootId: "an earlier boot" }), true);
});

test.skipIf(!isLinux)("a process whose pid another one has now is gone", () => {
  const [ticks, namespace] = self.processStart.split("@");
  assert.match(ticks ?? "", /^\d+$/);
  assert.equal(systemMachine.isGone({ ...self, processStart: `1@${namespace}` }), true);
});

test.skipIf(!isLinux)("of a process in another pid namespace nothing is known", () => {
  assert.equal(systemMachine.isGone({ ...self, processStart: "1@1" }), undefined);
});

test.skipIf(!isLinux)("another process is gone once it has been killed", async () => {
  const child = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `import { systemMachine as m } from ${JSON.stringify(new URL("machine.ts", import.meta.url).href)};
     process.send?.(0); console.log(m.processStart); process.stdin.resume();`,
  ]);
  const [printed] = await once(child.stdout, "data");
  const other = { ...self, pid: child.pid ?? 0, processStart: String(printed).trim() };
  assert.equal(systemMachine.isGone(other), false);

  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(systemMachine.isGone(other), true);
});

test("a pid that no process can have is gone", () => {
  assert.equal(systemMachine.isGone({ ...self, pid: -1 }), true);
});

test("the shared monotonic clock never goes back and counts milliseconds", () => {
  const first = systemMachine.sharedMonotonicMs();
  const elsewhere = performance.now();
  const second = systemMachine.sharedMonotonicMs();
  assert.ok(second >= first);
  // Both count from the same clock, only their zero differs.
  const shift = first - elsewhere;
  assert.ok(Math.abs(systemMachine.sharedMonotonicMs() - performance.now() - shift) < 50);
});
