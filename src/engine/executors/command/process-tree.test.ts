import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { hasLivingMember, ProcessTree } from "./process-tree.ts";

const children: ChildProcess[] = [];

/** Starts a leader of its own group and waits for its first line. */
async function startLeader(program: string, ...args: string[]): Promise<[number, string]> {
  const child = spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "ignore"] });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return [child.pid ?? 0, String(line)];
}

beforeEach(() => {
  children.length = 0;
});

afterEach(async () => {
  for (const child of children) {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
    child.kill("SIGKILL");
    await gone;
  }
});

describe.runIf(process.platform === "linux")("on Linux", () => {
  test("a program may be called anything, its figures are still read", async () => {
    const script = `process.title = "a) Z 0 (b"; console.log("ready"); process.stdin.resume();`;
    const [pid] = await startLeader(process.execPath, "-e", script);
    const tree = new ProcessTree(pid, makeVirtualClock());

    tree.sample();

    expect(hasLivingMember(pid)).toBe(true);
    expect(tree.usage.peakBytes).toBeGreaterThan(10e6);
    expect(tree.usage.cpuMs).toBeGreaterThan(0);
  });

  test("it looks at growing intervals until it is stopped", async () => {
    const [pid] = await startLeader("/bin/sh", "-c", "echo ready; read -r never");
    const clock = makeVirtualClock();
    const tree = new ProcessTree(pid, clock);
    const sample = vi.spyOn(tree, "sample");

    tree.start();
    await clock.advance(60_000);
    const looks = sample.mock.calls.length;
    tree.stop();

    expect(looks).toBeGreaterThan(60);
    expect(looks).toBeLessThan(75);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a descendant that left the group is known while it lives, one inside it is not listed", async () => {
    const script = `sleep 60 & setsid sleep 61 & echo $!; wait`;
    const [pid, line] = await startLeader("/bin/sh", "-c", script);
    const outside = Number(line);
    const tree = new ProcessTree(pid, makeVirtualClock());

    await vi.waitFor(() => {
      tree.sample();
      expect(tree.listStrays()).toEqual([outside]);
    }, 5_000);
    process.kill(outside, "SIGKILL");

    await vi.waitFor(() => expect(tree.listStrays()).toEqual([]), 5_000);
    process.kill(-pid, "SIGKILL");
  });

  test("a stray stays known after its parent has gone", async () => {
    const script = `setsid sleep 60 & echo $!; read -r never`;
    const [pid, line] = await startLeader("/bin/sh", "-c", script);
    const outside = Number(line);
    const tree = new ProcessTree(pid, makeVirtualClock());
    await vi.waitFor(() => {
      tree.sample();
      expect(tree.listStrays()).toEqual([outside]);
    }, 5_000);

    children[0]?.kill("SIGKILL");
    await vi.waitFor(() => expect(hasLivingMember(pid)).toBe(false), 5_000);
    tree.sample();

    expect(tree.listStrays()).toEqual([outside]);
    process.kill(outside, "SIGKILL");
  });

  test("a group of zombies counts as gone, although it can be signalled", async () => {
    // What sh leaves behind is never collected by the program that took its place.
    const [, line] = await startLeader("/bin/sh", "-c", "setsid true & echo $!; exec sleep 60");
    const zombie = Number(line);

    await vi.waitFor(() => {
      expect(() => process.kill(-zombie, 0)).not.toThrow();
      expect(hasLivingMember(zombie)).toBe(false);
    }, 20_000);
  }, 30_000);
});

test("of a process that is not there nothing is told", () => {
  const tree = new ProcessTree(2 ** 30, makeVirtualClock());

  tree.sample();

  expect(tree.usage).toEqual({});
  expect(tree.listStrays()).toEqual([]);
});
