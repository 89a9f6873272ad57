import { expect, test } from "vitest";
import { AbortReason } from "../../../model/context.ts";
import { CommandError } from "./command-error.ts";
import { decideEndedBy, judgeCommand, type SeenCommand } from "./outcome.ts";

interface Seen extends Partial<Omit<SeenCommand, "output">> {
  readonly stdout?: readonly string[];
  readonly stderr?: readonly string[];
}

function seen({ stdout = [], stderr = [], ...rest }: Seen): SeenCommand {
  return {
    program: "render",
    shape: { parse: "none", skipExitCodes: [] },
    end: { kind: "exited" },
    isDone: false,
    exit: { exitCode: 0, signal: null },
    output: {
      gathered: Buffer.from(stdout.join("\n")),
      tail: (stream) => (stream === "stdout" ? stdout : stderr),
    },
    ...rest,
  };
}

function errorOf(command: SeenCommand): CommandError {
  const verdict = judgeCommand(command);
  if (verdict.kind === "failed" && verdict.error instanceof CommandError) return verdict.error;
  throw new Error(`It was judged "${verdict.kind}".`);
}

const exit = (exitCode: number): Pick<SeenCommand, "exit"> => ({
  exit: { exitCode, signal: null },
});

test("an abort comes before everything that was seen, and whatever its reason is becomes the error", () => {
  const reason = new AbortReason("deadline", "Out of time.");

  expect(judgeCommand(seen({ end: { kind: "aborted", reason }, isDone: true }))).toEqual({
    kind: "failed",
    error: reason,
  });
  expect(judgeCommand(seen({ end: { kind: "aborted", reason: "stop" } }))).toMatchObject({
    kind: "failed",
    error: { message: "stop", cause: "stop" },
  });
});

test("a command that is done has succeeded whatever its exit code, but must print what it declared", () => {
  const shape = { parse: "json", skipExitCodes: [1] } as const;

  expect(judgeCommand(seen({ ...exit(1), isDone: true, shape, stdout: ["[1]"] }))).toEqual({
    kind: "succeeded",
    output: [1],
  });
  expect(errorOf(seen({ ...exit(1), isDone: true, shape, stdout: ["Ready"] })).code).toBe(
    "COMMAND_OUTPUT_INVALID",
  );
});

test("the reason of a skip is the last line, of stderr first, safe to show and short", () => {
  const shape = { parse: "none", skipExitCodes: [3] } as const;
  const skip = (lines: Seen): unknown => judgeCommand(seen({ ...exit(3), shape, ...lines }));

  expect(skip({ stdout: ["a", "b"], stderr: ["c", "d \u001b[0m", " "] })).toEqual({
    kind: "skipped",
    reason: "d \\x1b[0m",
  });
  expect(skip({ stdout: ["a", "b"] })).toEqual({ kind: "skipped", reason: "b" });
  expect(skip({ stdout: ["x".repeat(60_000)] })).toEqual({
    kind: "skipped",
    reason: "x".repeat(500),
  });
});

test("the message is bounded, and keeps the end of what was printed", () => {
  const stderr = Array.from({ length: 100 }, (_, index) => `${index}: ${"x".repeat(60_000)}`);
  const { message } = errorOf(seen({ ...exit(1), stderr: [...stderr, "the end"] }));

  expect(message.length).toBeLessThan(4_200);
  expect(message).toMatch(/^Command "render" ended with exit 1\. End of stderr:\n…/);
  expect(message.endsWith("\nthe end")).toBe(true);
});

test("a silent failure says that it was silent", () => {
  expect(errorOf(seen(exit(1))).message).toBe(
    'Command "render" ended with exit 1. It printed nothing.',
  );
});

test("who was killed gets the likely reason", () => {
  const killed = errorOf(seen({ exit: { exitCode: null, signal: "SIGKILL" } }));

  expect(killed).toMatchObject({ signal: "SIGKILL", hint: expect.stringContaining("memory") });
  expect(errorOf(seen(exit(143))).hint).toBe("Exit 143 often means: ended by SIGTERM.");
  expect(errorOf(seen(exit(1))).hint).toBeUndefined();
});

test("a command that even KILL could not end is a failure that says so", () => {
  const stuck = seen({ exit: { exitCode: null, signal: null } });

  expect(errorOf(stuck).message).toContain("could not be ended and may still run");
});

test("ended by us after its line is told apart from ended by a signal", () => {
  const signalled = { exit: { exitCode: null, signal: "SIGTERM" } };

  expect(decideEndedBy(seen({ ...signalled, end: { kind: "done" } }))).toEqual({ endedBy: "done" });
  expect(decideEndedBy(seen(signalled))).toEqual({ endedBy: "signal" });
  expect(decideEndedBy(seen(exit(3)))).toEqual({});
});
