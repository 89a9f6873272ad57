import { expect, test } from "vitest";
import type { CommandShape } from "../../../model/definition.ts";
import { systemClock } from "../../../std/clock.ts";
import { type CommandPlan, planCommand, resolveProgram } from "./plan.ts";

const SHAPE: CommandShape = {
  argv: ["git", "status"],
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

/** What an author could write in spite of the types. */
type Careless = { readonly [Key in keyof CommandShape]?: unknown };

function plan(shape: Careless, environment: Record<string, string | undefined> = {}): CommandPlan {
  return planCommand({
    shape: Object.assign({ ...SHAPE }, shape),
    needs: { url: "https://example.org", rows: [1, 2] },
    signal: new AbortController().signal,
    runId: "run-1",
    stage: "fetch",
    attempt: 2,
    clock: systemClock,
    environment,
    listener: {},
  });
}

test("a command is planned from what the author wrote", () => {
  expect(plan({ stdin: "in", cwd: "/data", env: { MODE: "fast" } })).toEqual({
    program: "git",
    args: ["status"],
    stdin: "in",
    cwd: "/data",
    env: {
      MODE: "fast",
      MILLRACE_RUN_ID: "run-1",
      MILLRACE_STAGE: "fetch",
      MILLRACE_ATTEMPT: "2",
    },
  });
});

test("argv, stdin, env and cwd may be functions of the needs", () => {
  interface Arriving {
    readonly url: string;
    readonly rows: readonly number[];
  }
  const planned = plan({
    argv: ({ url }: Arriving) => ["curl", url],
    stdin: ({ rows }: Arriving) => Buffer.from(rows),
    env: ({ rows }: Arriving) => ({ ROWS: String(rows.length) }),
    cwd: ({ rows }: Arriving) => `/data/${rows.length}`,
  });

  expect([planned.program, ...planned.args]).toEqual(["curl", "https://example.org"]);
  expect(planned.stdin).toEqual(Buffer.from([1, 2]));
  expect(planned.cwd).toBe("/data/2");
  expect(planned.env).toMatchObject({ ROWS: "2" });
});

test("only basic, declared and named variables are passed on, the later ones win", () => {
  const environment = {
    PATH: "/bin",
    HOME: "/somewhere/ada",
    TZ: undefined,
    SECRET_TOKEN: "canary",
    NODE_OPTIONS: "--require=canary",
    LD_PRELOAD: "canary.so",
    AWS_REGION: "eu-west-1",
    MILLRACE_RUN_ID: "not this one",
  };
  const planned = plan(
    {
      passEnv: ["AWS_REGION", "NOT_SET"],
      env: { HOME: "/elsewhere", MILLRACE_STAGE: "not this one" },
    },
    environment,
  );

  expect(planned.env).toEqual({
    PATH: "/bin",
    HOME: "/elsewhere",
    AWS_REGION: "eu-west-1",
    MILLRACE_RUN_ID: "run-1",
    MILLRACE_STAGE: "fetch",
    MILLRACE_ATTEMPT: "2",
  });
});

test.each<[string, Careless, RegExp]>([
  ["one text for a list", { argv: "git status" }, /"argv" must be a list of text, got string/],
  ["an empty list", { argv: [] }, /must begin with the name of a program/],
  ["an empty program", { argv: ["", "x"] }, /must begin with the name of a program/],
  ["a number among the arguments", { argv: ["git", 7] }, /Entry 1 of .* must be text, got number/],
  ["a NUL in an argument", { argv: ["git", "a\0b"] }, /Entry 1 of .* holds a NUL character/],
  ["a promise for a list", { argv: async () => ["git"] }, /must be a list of text, got object/],
  ["an object on stdin", { stdin: () => ({}) }, /"stdin" must be text or bytes, got object/],
  ["an empty folder", { cwd: "" }, /"cwd" must be the path of a folder, got ""/],
  ["a NUL in the folder", { cwd: "/a\0b" }, /"cwd" must be the path of a folder, got "\/a\\x00b"/],
  ["a number as folder", { cwd: () => 7 }, /"cwd" must be the path of a folder, got number/],
  ["no record of variables", { env: () => "A=1" }, /"env" must be a record of text, got string/],
  ["an equals sign in a name", { env: { "A=B": "1" } }, /cannot have the name "A=B"/],
  ["an empty name", { env: { "": "1" } }, /cannot have the name ""/],
  ["a number as value", { env: { A: 1 } }, /variable "A" .* must be text, got number/],
  ["a NUL in a value", { env: { A: "x\0" } }, /variable "A" .* got text with a NUL/],
])("%s is refused", (_name, shape, message) => {
  expect(() => plan(shape)).toThrow(message);
});

test("what an author's function throws is thrown as it is", () => {
  const fault = new Error("no such row");
  const argv = (): never => {
    throw fault;
  };

  expect(() => plan({ argv })).toThrow(fault);
});

test.each(["run.bat", "run.CMD", "C:\\tools\\run.cmd", "run.bat.", "run.cmd ", "run.cmd. ."])(
  "Windows is not given %j, which it would run in a shell",
  (program) => {
    expect(() => resolveProgram(program, "win32")).toThrow(/Windows runs such files in a shell/);
  },
);

test("on Windows a name without an ending means a program, never a script of that name", () => {
  expect(resolveProgram("npm", "win32")).toBe("npm.exe");
  expect(resolveProgram("python3.12", "win32")).toBe("python3.12.exe");
  expect(resolveProgram("C:\\tools\\NODE.EXE", "win32")).toBe("C:\\tools\\NODE.EXE");
});

test("elsewhere a program is what the author wrote", () => {
  expect(resolveProgram("run.cmd", "linux")).toBe("run.cmd");
  expect(resolveProgram("npm", "darwin")).toBe("npm");
});
