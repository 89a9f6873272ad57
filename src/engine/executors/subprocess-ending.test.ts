import { type ChildProcess, spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterEach, expect, test, vi } from "vitest";
import { AbortReason } from "../../model/context.ts";
import type { CommandShape } from "../../model/definition.ts";
import { systemClock } from "../../std/clock.ts";
import { hasLivingMember } from "./command/process-tree.ts";
import type { CommandBeat, CommandListener, CommandResult } from "./command/request.ts";
import { runCommand } from "./subprocess.ts";

// Real processes on a busy machine take their time.
vi.setConfig({ testTimeout: 30_000 });

const SHAPE: CommandShape = {
  argv: [],
  stdin: null,
  parse: "none",
  env: {},
  passEnv: [],
  cwd: null,
  doneWhen: null,
  doneGraceMs: 30_000,
  silenceMs: 300_000,
  progressMs: 60_000,
  skipExitCodes: [],
};

interface Started {
  /** The numbers of the first line on stdout: pids, by the habit of these tests. */
  readonly pids: Promise<readonly number[]>;
  readonly result: Promise<CommandResult>;
  readonly controller: AbortController;
}

interface Setup extends Partial<CommandShape> {
  readonly graceMs?: number;
  readonly listener?: CommandListener;
  readonly controller?: AbortController;
}

function start(setup: Setup): Started {
  const { graceMs = 5_000, listener = {}, controller = new AbortController(), ...shape } = setup;
  const first = Promise.withResolvers<readonly number[]>();
  const result = runCommand({
    shape: { ...SHAPE, ...shape },
    needs: {},
    signal: controller.signal,
    runId: "run-1",
    stage: "fetch",
    attempt: 1,
    clock: systemClock,
    graceMs,
    environment: process.env,
    listener: {
      ...listener,
      onLine: (stream, line) => {
        if (stream === "stdout") first.resolve(line.split(" ").map(Number));
        listener.onLine?.(stream, line);
      },
    },
  });
  return { pids: first.promise, result, controller };
}

const sh = (script: string): string[] => ["/bin/sh", "-c", script];

/** False for a zombie as well: it has ended, and only nobody has collected it yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== "linux" || !/^(?:Z|X|)$/.test(stateOf(pid));
}

function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] ?? "";
  } catch {
    return "";
  }
}

const TIMEOUT = new AbortReason("timeout", "The attempt took longer than 1s.");

test("R40: an abort ends the child and its grandchild, and the attempt fails with its reason", async () => {
  const { pids, result, controller } = start({ argv: sh("sleep 60 & echo $$ $!; wait") });
  const [child = 0, grandchild = 0] = await pids;
  expect([isRunning(child), isRunning(grandchild)]).toEqual([true, true]);

  const abortedMs = performance.now();
  controller.abort(TIMEOUT);
  const ended = await result;

  expect(performance.now() - abortedMs).toBeLessThan(3_000);
  expect(ended).toMatchObject({ kind: "failed", exitCode: null, endedBy: "signal" });
  expect(ended.kind === "failed" && ended.error).toBe(TIMEOUT);
  expect([isRunning(child), isRunning(grandchild)]).toEqual([false, false]);
  expect(hasLivingMember(child)).toBe(false);
});

test("R40: who ignores TERM gets KILL after the grace, and not before", async () => {
  const script = `trap '' TERM; sh -c "trap '' TERM; echo $$ \\$\\$; sleep 60; sleep 60" & wait; sleep 60`;
  const { pids, result, controller } = start({ argv: sh(script), graceMs: 400 });
  const [child = 0, grandchild = 0] = await pids;

  const abortedMs = performance.now();
  controller.abort(new AbortReason("user-cancel", "Cancelled by ada."));
  const ended = await result;
  const tookMs = performance.now() - abortedMs;

  expect(tookMs).toBeGreaterThanOrEqual(400);
  expect(tookMs).toBeLessThan(3_000);
  expect(ended).toMatchObject({ kind: "failed", error: { kind: "user-cancel" } });
  expect([isRunning(child), isRunning(grandchild), hasLivingMember(child)]).toEqual([
    false,
    false,
    false,
  ]);
});

test("R40: a grandchild does not outlive an abort although the child went at once", async () => {
  const script = `(trap '' TERM; echo $$; exec sleep 60) & wait`;
  const { pids, result, controller } = start({ argv: sh(script), graceMs: 300 });
  const [child = 0] = await pids;

  const abortedMs = performance.now();
  controller.abort(TIMEOUT);

  expect(await result).toMatchObject({ kind: "failed", endedBy: "signal" });
  expect(performance.now() - abortedMs).toBeGreaterThanOrEqual(300);
  expect(hasLivingMember(child)).toBe(false);
});

test("an abort lets a child finish by itself within the grace", async () => {
  const script = `trap 'echo cleaned; exit 0' TERM; echo $$; while :; do sleep 0.05; done`;
  const { pids, result, controller } = start({ argv: sh(script) });
  await pids;

  controller.abort(TIMEOUT);

  expect(await result).toMatchObject({ kind: "failed", error: TIMEOUT, exitCode: 0 });
  expect((await result).stdoutTail.at(-1)).toBe("cleaned");
});

test.runIf(process.platform === "linux")(
  "a child that was stopped is woken to hear TERM",
  async () => {
    const script = `trap 'echo cleaned; exit 0' TERM; echo $$; kill -s STOP $$; sleep 60`;
    const { pids, result, controller } = start({ argv: sh(script) });
    const [child = 0] = await pids;
    await vi.waitFor(() => expect(stateOf(child)).toBe("T"), 5_000);

    controller.abort(TIMEOUT);

    expect((await result).stdoutTail.at(-1)).toBe("cleaned");
  },
);

test.runIf(process.platform === "linux")(
  "a descendant in a session of its own is ended by an abort as well",
  async () => {
    const script = `
      const { spawn } = require("node:child_process");
      const browser = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
      process.on("SIGTERM", () => process.exit(0));
      browser.once("spawn", () => console.log(process.pid, browser.pid));`;
    const { pids, result, controller } = start({ argv: [process.execPath, "-e", script] });
    const [child = 0, browser = 0] = await pids;
    expect(isRunning(browser)).toBe(true);

    controller.abort(TIMEOUT);
    await result;

    expect([isRunning(child), isRunning(browser)]).toEqual([false, false]);
  },
);

test("nothing is started for a signal that is aborted already", async () => {
  const lines: string[] = [];
  const controller = new AbortController();
  controller.abort(TIMEOUT);
  const { result } = start({
    controller,
    argv: sh("echo started"),
    listener: { onLine: (_stream, line) => lines.push(line) },
  });

  expect(await result).toMatchObject({ kind: "failed", error: TIMEOUT });
  expect(lines).toEqual([]);
});

test("an abort that comes while the command is being planned is not overheard", async () => {
  const controller = new AbortController();
  const { result } = start({
    controller,
    argv: () => {
      controller.abort(TIMEOUT);
      return sh("sleep 60");
    },
  });

  expect(await result).toMatchObject({ kind: "failed", error: TIMEOUT });
});

test("a background process that holds stdout neither hangs a command nor outlives it", async () => {
  const startedMs = performance.now();
  const { pids, result } = start({ argv: sh("sleep 60 & echo $$ $!"), parse: "text" });
  const [child = 0, background = 0] = await pids;

  expect(await result).toMatchObject({ kind: "succeeded", exitCode: 0 });
  expect(performance.now() - startedMs).toBeLessThan(4_000);
  expect([isRunning(background), hasLivingMember(child)]).toEqual([false, false]);
});

test("what a background process prints after the child's end still counts", async () => {
  const script = `(while kill -s 0 $$ 2>/dev/null; do :; done; sleep 0.1; echo late) & echo $$`;
  const { pids, result } = start({ argv: sh(script), parse: "text" });
  const [child = 0] = await pids;

  expect(await result).toMatchObject({ kind: "succeeded", output: `${child}\nlate\n` });
});

test("a command's background process is ended with it, one in a session of its own is not", async () => {
  const script = `
    const { spawn } = require("node:child_process");
    const inside = spawn("sleep", ["60"], { stdio: "ignore" });
    const outside = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
    console.log(process.pid, inside.pid, outside.pid);
    process.exit(0);`;
  const { pids, result } = start({ argv: [process.execPath, "-e", script] });
  const [child = 0, inside = 0, outside = 0] = await pids;
  try {
    expect(await result).toMatchObject({ kind: "succeeded" });
    expect([hasLivingMember(child), isRunning(inside)]).toEqual([false, false]);
    expect(isRunning(outside)).toBe(true);
  } finally {
    process.kill(outside, "SIGKILL");
  }
});

test.runIf(process.platform === "linux")(
  "a zombie that nobody collects keeps no command waiting",
  async () => {
    // "true" ends in the command's group, and the process that should collect it leaves it there.
    const script = `
      (true & exec setsid sleep 60 >/dev/null 2>&1) &
      while [ "$(cut -d' ' -f5 /proc/$!/stat)" = $$ ]; do :; done
      echo $$ $!`;
    const startedMs = performance.now();
    const { pids, result } = start({ argv: sh(script), graceMs: 20_000 });
    const [child = 0, parent = 0] = await pids;
    try {
      expect(await result).toMatchObject({ kind: "succeeded" });
      expect(() => process.kill(-child, 0)).not.toThrow();
      expect(performance.now() - startedMs).toBeLessThan(10_000);
    } finally {
      process.kill(parent, "SIGKILL");
    }
  },
);

test.each([
  ["a text on stdout", "All DONE", "echo $$; echo 'Now All DONE.'"],
  ["a pattern on stderr", /^done \d+$/i, "echo $$; echo 'Done 7' >&2"],
  ["a line that does not end", /^DONE$/, "echo $$; printf DONE"],
] as const)("R43: after %s a command has its time, is ended, and succeeded", async (...row) => {
  const [, doneWhen, print] = row;
  const startedMs = performance.now();
  const { pids, result } = start({ argv: sh(`${print}; sleep 60`), doneWhen, doneGraceMs: 300 });
  const [child = 0] = await pids;

  expect(await result).toMatchObject({ kind: "succeeded", endedBy: "done", exitCode: null });
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThanOrEqual(300);
  expect(tookMs).toBeLessThan(4_000);
  expect(hasLivingMember(child)).toBe(false);
});

test("R43: a command that ends by itself after its line has succeeded at once", async () => {
  const startedMs = performance.now();
  const { result } = start({ argv: sh("echo DONE; exit 1"), doneWhen: "DONE" });
  const ended = await result;

  expect(ended).toMatchObject({ kind: "succeeded", exitCode: 1 });
  expect(ended).not.toHaveProperty("endedBy");
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test("R41 R42: a silent command tells its silence once per period, and a running one its beats", async () => {
  const beats: CommandBeat[] = [];
  const silences: number[] = [];
  const told = Promise.withResolvers<void>();
  const listener: CommandListener = {
    onBeat: (beat) => beats.push(beat),
    onSilence: (silentMs) => {
      silences.push(silentMs);
      if (silences.length === 2) told.resolve();
    },
  };
  // Prints when it is told to, so that the second silent period begins when the first was told.
  const script = `trap 'echo again' USR1; echo $$; while :; do sleep 0.05; done`;
  const started = start({ argv: sh(script), silenceMs: 400, progressMs: 100, listener });
  const [child = 0] = await started.pids;

  await vi.waitFor(() => expect(silences).toHaveLength(1), 5_000);
  const beatsSoFar = beats.length;
  await vi.waitFor(() => expect(beats.length).toBeGreaterThan(beatsSoFar + 5), 5_000);
  expect(silences).toHaveLength(1);
  process.kill(child, "SIGUSR1");
  await told.promise;
  started.controller.abort(TIMEOUT);
  await started.result;

  expect(silences.every((silentMs) => silentMs >= 400)).toBe(true);
  expect(beats[0]?.elapsedMs).toBeGreaterThanOrEqual(100);
  expect(beats.at(-1)).toMatchObject({ stdoutLines: 2, stderrLines: 0 });
});

test("a listener that throws ends the command first and is told to the caller", async () => {
  const fault = new Error("no such event");
  const { pids, result } = start({
    argv: sh("echo $$; echo more; sleep 60"),
    listener: {
      onLine: (_stream, line) => {
        if (line === "more") throw fault;
      },
    },
  });
  const [child = 0] = await pids;

  await expect(result).rejects.toBe(fault);
  expect(hasLivingMember(child)).toBe(false);
});

test("no listener stays on the signal", async () => {
  const { result, controller } = start({ argv: ["true"] });
  await result;

  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

const HOST = `
  import { runCommand } from ${JSON.stringify(new URL("subprocess.ts", import.meta.url).href)};
  import { systemClock } from ${JSON.stringify(new URL("../../std/clock.ts", import.meta.url).href)};
  const { end, ...shape } = JSON.parse(process.argv[1]);
  const signal = end === "abort" ? AbortSignal.timeout(300) : new AbortController().signal;
  const result = await runCommand({
    shape, needs: {}, signal, runId: "run-1", stage: "fetch", attempt: 1, clock: systemClock, graceMs: 1000,
    environment: process.env,
    listener: {
      onLine: (stream, line) => {
        console.log(line);
        if (end === "exit") process.exit(7);
        if (end === "crash") setImmediate(() => { throw new Error("crash"); });
      },
    },
  });
  console.log(result.kind);
  setImmediate(() => setImmediate(() => console.log(JSON.stringify(process.getActiveResourcesInfo()))));
`;

const hosts: ChildProcess[] = [];

afterEach(() => {
  for (const host of hosts.splice(0)) host.kill("SIGKILL");
});

/** A process of its own that runs one command, in a group of its own. */
function startHost(shape: Partial<CommandShape> & { readonly end?: string }): ChildProcess {
  const settings = JSON.stringify({ ...SHAPE, ...shape });
  const host = spawn(process.execPath, ["--input-type=module", "-e", HOST, "--", settings], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  hosts.push(host);
  return host;
}

async function* linesOf(host: ChildProcess): AsyncGenerator<string> {
  if (host.stdout === null) return;
  yield* createInterface({ input: host.stdout });
}

test.each([
  ["ended by itself", { argv: sh("echo hi") }, "succeeded"],
  ["was ended", { argv: sh("echo hi; sleep 60"), end: "abort" }, "failed"],
])("once a command %s no timer, pipe or child is left, and the process may end", async (...row) => {
  const [, settings, kind] = row;
  const host = startHost(settings);
  const exited = once(host, "exit");

  const lines: string[] = [];
  for await (const line of linesOf(host)) lines.push(line);

  // The pipe is the host's own stdout.
  expect(lines).toEqual(["hi", kind, expect.stringMatching(/^\[("PipeWrap")?\]$/)]);
  expect(await exited).toEqual([0, null]);
});

/** The host's children: the command and its guard. */
function childrenOf(host: ChildProcess): number[] {
  const path = `/proc/${host.pid}/task/${host.pid}/children`;
  return readFileSync(path, "utf8").trim().split(" ").map(Number);
}

const WAITING = "sleep 60 & echo $$ $!; wait";
const STUBBORN = "trap '' TERM; sleep 60 & echo $$ $!; wait; sleep 60";

test.runIf(process.platform === "linux").each([
  ["is killed with all its group", WAITING],
  ["is killed, and the command ignores TERM", STUBBORN],
])(
  "when our own process %s, its command does not stay behind",
  async (_name, script) => {
    const host = startHost({ argv: sh(script) });
    const first = await linesOf(host).next();
    const pids = String(first.value).split(" ").map(Number);
    const [child = 0] = pids;
    const guards = childrenOf(host).filter((pid) => pid !== child);
    expect(guards).toHaveLength(1);

    // A guard hears what everybody is told, and stays.
    for (const guard of guards) process.kill(guard, "SIGTERM");
    process.kill(-(host.pid ?? 0), "SIGKILL");

    await vi.waitFor(() => expect([...pids, ...guards].filter(isRunning)).toEqual([]), 10_000);
    expect(hasLivingMember(child)).toBe(false);
  },
  15_000,
);

test.each(["exit", "crash"])(
  "when our own process ends by %s, its command does too",
  async (end) => {
    const host = startHost({ argv: sh(WAITING), end });
    const first = await linesOf(host).next();
    const pids = String(first.value).split(" ").map(Number);

    await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), 10_000);
  },
  15_000,
);
