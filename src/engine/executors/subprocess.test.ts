import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { CommandShape } from "../../model/definition.ts";
import { classifyError } from "../../policy/classify/classify.ts";
import { systemClock } from "../../std/clock.ts";
import { toErrorEnvelope } from "../../std/error/error-envelope.ts";
import type { CommandProgress, CommandRequest, CommandResult } from "./command/request.ts";
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

function run(
  shape: Partial<CommandShape>,
  request: Partial<CommandRequest> = {},
): Promise<CommandResult> {
  return runCommand({
    shape: { ...SHAPE, ...shape },
    needs: {},
    signal: new AbortController().signal,
    runId: "run-1",
    stage: "fetch",
    attempt: 2,
    clock: systemClock,
    environment: process.env,
    listener: {},
    ...request,
  });
}

const node = (script: string, ...args: string[]): string[] => [
  process.execPath,
  "-e",
  script,
  "--",
  ...args,
];
const sh = (script: string): string[] => ["/bin/sh", "-c", script];

function errorOf(result: CommandResult): Error {
  if (result.kind !== "failed") throw new Error(`The command ended "${result.kind}".`);
  return result.error;
}

test("exit 0 is success, and stdout is read as declared", async () => {
  const argv = node(`console.error("working"); console.log(JSON.stringify({ rows: [1, 2] }));`);

  expect(await run({ argv, parse: "json" })).toMatchObject({
    kind: "succeeded",
    output: { rows: [1, 2] },
    exitCode: 0,
    stdoutTail: ['{"rows":[1,2]}'],
    stderrTail: ["working"],
  });
  expect(await run({ argv, parse: "jsonl" })).toMatchObject({ output: [{ rows: [1, 2] }] });
  expect(await run({ argv, parse: "text" })).toMatchObject({ output: '{"rows":[1,2]}\n' });
  expect(await run({ argv, parse: "none" })).toMatchObject({ output: undefined });
});

test("R37: another exit code is a failure with that code and the end of stderr", async () => {
  const result = await run({ argv: sh("echo out; echo first >&2; echo 'no disk' >&2; exit 3") });
  const error = errorOf(result);

  expect(result.exitCode).toBe(3);
  expect(error).toMatchObject({ exitCode: 3 });
  expect(error.message).toBe('Command "/bin/sh" ended with exit 3. End of stderr:\nfirst\nno disk');
  expect(classifyError(error)).toMatchObject({ class: "subprocess" });
});

test("R37: of a long stderr the message has the last 20 lines", async () => {
  const result = await run({
    argv: node(`for (let i = 1; i <= 500; i++) console.error("line " + i); process.exitCode = 75;`),
  });
  const lines = errorOf(result).message.split("\n");

  expect(lines.slice(1)).toEqual(Array.from({ length: 20 }, (_, index) => `line ${481 + index}`));
  expect(classifyError(errorOf(result))).toMatchObject({ class: "subprocess" });
});

test("a command that fails without a word on stderr shows the end of stdout", async () => {
  const result = await run({ argv: sh("echo 'error TS1005'; exit 2") });

  expect(errorOf(result).message).toBe(
    'Command "/bin/sh" ended with exit 2. End of stdout:\nerror TS1005',
  );
});

test("S25: what a terminal would obey is shown in the message and not obeyed", async () => {
  const result = await run({ argv: node(`console.error("\\x1b[2Jgone"); process.exitCode = 1;`) });

  expect(errorOf(result).message).toContain("\\x1b[2Jgone");
  expect(result.stderrTail).toEqual(["\u001b[2Jgone"]);
});

test("a death by signal is a failure that names the signal", async () => {
  const result = await run({ argv: sh("kill -s SEGV $$") });

  expect(result).toMatchObject({ kind: "failed", exitCode: null, endedBy: "signal" });
  expect(errorOf(result)).toMatchObject({ signal: "SIGSEGV", exitCode: undefined });
  expect(classifyError(errorOf(result))).toMatchObject({ class: "subprocess" });
});

test("R32: a declared exit code means skipped, with the last line as reason", async () => {
  const argv = sh("echo 'nothing new today'; exit 3");

  expect(await run({ argv, skipExitCodes: [3, 4] })).toMatchObject({
    kind: "skipped",
    reason: "nothing new today",
    exitCode: 3,
  });
  expect(await run({ argv: sh("exit 3"), skipExitCodes: [3] })).toMatchObject({
    kind: "skipped",
    reason: "exit 3",
  });
  expect(await run({ argv })).toMatchObject({ kind: "failed", exitCode: 3 });
  expect(await run({ argv, skipExitCodes: [4] })).toMatchObject({ kind: "failed" });
});

test("R23: text in place of JSON is a failed attempt that says what was expected", async () => {
  const result = await run({ argv: sh("echo hello"), parse: "json" });

  expect(result.exitCode).toBe(0);
  expect(errorOf(result)).toMatchObject({
    message: 'Expected JSON on stdout, got text "hello".',
    code: "COMMAND_OUTPUT_INVALID",
  });
});

test("R44: the last 100 lines of each stream are kept", async () => {
  const script = `for (let i = 1; i <= 500; i++) { console.log("out " + i); console.error("err " + i); }`;
  const result = await run({ argv: node(script) });

  const expected = (name: string): string[] =>
    Array.from({ length: 100 }, (_, index) => `${name} ${401 + index}`);
  expect(result.stdoutTail).toEqual(expected("out"));
  expect(result.stderrTail).toEqual(expected("err"));
});

test("R45: S24: a child sees who it runs for, the basic variables, declared ones, and nothing else", async () => {
  const canaries = {
    MILLRACE_SERVER__TOKEN: "canary-1",
    DATABASE_URL: "canary-2",
    NODE_OPTIONS: "--no-warnings",
    LD_PRELOAD: "/canary-3.so",
    AWS_SECRET_ACCESS_KEY: "canary-4",
    NPM_TOKEN: "canary-5",
    npm_config_authToken: "canary-6",
  };
  const basic = {
    PATH: process.env["PATH"],
    HOME: "/somewhere/ada",
    LANG: "C.UTF-8",
    TZ: "Europe/Berlin",
  };
  const result = await run(
    {
      argv: node("console.log(JSON.stringify(process.env))"),
      parse: "json",
      env: { MODE: "fast" },
      passEnv: ["REGION"],
    },
    { environment: { ...canaries, ...basic, TMPDIR: "/var/tmp", REGION: "eu" } },
  );

  expect(result).toMatchObject({ kind: "succeeded" });
  expect(result.kind === "succeeded" && result.output).toEqual({
    ...basic,
    TMPDIR: "/var/tmp",
    REGION: "eu",
    MODE: "fast",
    MILLRACE_RUN_ID: "run-1",
    MILLRACE_STAGE: "fetch",
    MILLRACE_ATTEMPT: "2",
  });
});

test("S23: arguments arrive as they were written, whatever a shell would make of them", async () => {
  const args = ["--upload-pack=x", "-oProxyCommand=x", "@file", "a\nb", "*", "$(id)", "%PATH%"];
  args.push("`id`", "; exit 1", "'\"\\", "", "naïve 🦆");
  const argv = node("console.log(JSON.stringify(process.argv.slice(1)))", ...args);

  expect(await run({ argv, parse: "json" })).toMatchObject({ output: args });
});

test("stdin is written whole and closed", async () => {
  const text = "é".repeat(1_000_000);

  expect(await run({ argv: ["cat"], stdin: text, parse: "text" })).toMatchObject({ output: text });
  expect(await run({ argv: ["cat"], parse: "text" })).toMatchObject({ output: "" });
});

test("a child that does not read its input succeeds all the same", async () => {
  const stdin = "x".repeat(10_000_000);

  expect(await run({ argv: ["true"], stdin })).toMatchObject({ kind: "succeeded" });
});

test("a child runs in the folder that was asked for", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-")));
  try {
    const result = await run({ argv: ["pwd"], cwd: folder, parse: "text" });

    expect(result).toMatchObject({ output: `${folder}\n` });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("progress lines are told and are no part of the output", async () => {
  const told: CommandProgress[] = [];
  const lines: string[] = [];
  const script = `
    console.log("[1,");
    console.log(JSON.stringify({ millrace: "progress", done: 3, total: 10, note: "pages" }));
    console.log("2]");`;
  const listener = {
    onProgress: (progress: CommandProgress) => told.push(progress),
    onLine: (stream: string, line: string) => lines.push(`${stream} ${line}`),
  };
  const result = await run({ argv: node(script), parse: "json" }, { listener });

  expect(result).toMatchObject({ output: [1, 2], stdoutTail: ["[1,", "2]"] });
  expect(told).toEqual([{ done: 3, total: 10, note: "pages" }]);
  expect(lines).toEqual(["stdout [1,", "stdout 2]"]);
});

test("S25: more stdout than can be parsed ends the command and fails it", async () => {
  const result = await run({ argv: ["cat", "/dev/zero"], parse: "text" });

  expect(errorOf(result)).toMatchObject({
    message: 'Command "cat" printed more than 10 MiB on stdout, which is all that is parsed.',
    code: "COMMAND_OUTPUT_TOO_LARGE",
  });
  expect(classifyError(errorOf(result))).toMatchObject({ class: "permanent" });
});

test("S25: output that nobody parses may be endless and binary; a cut line is kept of it", async () => {
  const result = await run({ argv: sh("head -c 100000000 /dev/zero; printf '\\377\\n'") });

  expect(result.kind).toBe("succeeded");
  expect(result.stdoutTail).toHaveLength(1);
  expect(result.stdoutTail[0]).toMatch(/^\0{65536}… \(\+99934465 bytes\)$/);
});

test("a program that cannot be started is a failure that says why and what to do", async () => {
  const missing = errorOf(await run({ argv: ["millrace-no-such-program", "canary"] }));
  expect(missing).toMatchObject({
    message: 'Command "millrace-no-such-program" was not found.',
    code: "ENOENT",
    hint: expect.stringContaining("PATH"),
  });
  expect(classifyError(missing)).toMatchObject({ class: "local-config" });

  const forbidden = errorOf(await run({ argv: [import.meta.filename] }));
  expect(forbidden).toMatchObject({
    message: `Command "${import.meta.filename}" may not be executed.`,
    hint: "Make it executable: chmod +x.",
    code: "EACCES",
  });

  const folder = errorOf(await run({ argv: ["true"], cwd: "/no/such/folder" }));
  expect(folder.message).toBe(
    'Command "true" could not be started: "/no/such/folder" is not a folder.',
  );

  // The system says so of the first, and of the second nobody even asks it.
  for (const texts of [["x".repeat(700_000), "y".repeat(700_000)], ["x".repeat(5_000_000)]]) {
    const long = errorOf(await run({ argv: ["true", ...texts] }));
    expect(long).toMatchObject({ code: "E2BIG", hint: expect.stringContaining("stdin") });
  }
});

test("S24: arguments and variables are in no error, however it ended", async () => {
  const secret = "canary-7f3a";
  const env = { TOKEN: secret };
  const results = await Promise.all([
    run({ argv: ["millrace-no-such-program", secret], env }),
    run({ argv: [import.meta.filename, secret], env }),
    run({ argv: ["false", secret], env }),
    run({ argv: [...sh("kill -s KILL $$"), secret], env }),
    run({ argv: ["true", secret], env, parse: "json" }),
    run({ argv: ["true", secret], env, cwd: "/no/such/folder" }),
    run({ argv: ["true", secret, "\0"], env }),
  ]);

  for (const result of results) {
    expect(JSON.stringify(toErrorEnvelope(errorOf(result)))).not.toContain(secret);
  }
});

test("what an author's function throws is the failure of the attempt", async () => {
  const fault = new RangeError("no page 7");
  const argv = (): never => {
    throw fault;
  };

  expect(await run({ argv })).toEqual({
    kind: "failed",
    error: fault,
    stdoutTail: [],
    stderrTail: [],
    exitCode: null,
  });
});

test.runIf(process.platform === "linux")(
  "what the processes used is reported, grandchildren included",
  async () => {
    const script = `
      const held = Buffer.alloc(150e6, 1);
      for (let turn = 1; turn % 1e6 > 0 || process.cpuUsage().user < 500_000; turn++);
      const { user, system } = process.cpuUsage();
      console.log((user + system) / 1000 + held[0] - 1);`;
    const argv = ["/bin/sh", "-c", '"$0" -e "$1"; :', process.execPath, script];
    const result = await run({ argv, parse: "json" });
    const usedMs = result.kind === "succeeded" ? Number(result.output) : Number.NaN;

    // The last look comes when the streams end, so that hardly anything is missed.
    expect(result.cpuMs).toBeGreaterThan(usedMs - 50);
    expect(result.cpuMs).toBeLessThan(usedMs + 1_000);
    expect(result.peakBytes).toBeGreaterThan(150e6);
    expect(result.peakBytes).toBeLessThan(1e9);
  },
);

test("twenty commands at once do not mix anything up", async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      run({ argv: sh(`echo ${index}; exit ${index % 2}`), parse: "text" }),
    ),
  );

  expect(results.map((result) => result.stdoutTail)).toEqual(
    results.map((_, index) => [String(index)]),
  );
  expect(results.map((result) => result.exitCode)).toEqual(results.map((_, index) => index % 2));
});
