// The real command in a process of its own, in a folder of its own, and what came of it. Waiting is for facts:
// an end, a file, a text; whatever does not come says what was waited for.

import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { passCompileCache } from "./compile-cache.ts";
import { commandWords } from "./suite-package.ts";

const PIPELINES = join(import.meta.dirname, "../e2e/pipelines");

/** Words that start the command. */
export const COMMAND: readonly string[] = [process.execPath, ...commandWords()];

/** How a command ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stderr(): string;
  /** Resolves when stderr holds the text. */
  says(text: string): Promise<void>;
}

/** A folder with the pipelines of the tests in `pipelines/`. */
export interface Project {
  readonly folder: string;
  /** Runs the command to its end. */
  run(...args: readonly string[]): Promise<Ended>;
  start(...args: readonly string[]): Running;
  /** Makes a file that work waits for. */
  touch(name: string): void;
  read(name: string): string;
  /** Resolves when the file is there. */
  appears(name: string): Promise<void>;
}

/** Makes a project; it is gone when the test has ended. */
export function makeProject(env: Readonly<Record<string, string>> = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(PIPELINES, join(folder, "pipelines"), { recursive: true });
  const start = (...args: readonly string[]): Running => startCommand(folder, args, env);
  return {
    folder,
    start,
    run: (...args) => start(...args).ended,
    touch: (name) => writeFileSync(join(folder, name), ""),
    read: (name) => readFileSync(join(folder, name), "utf8"),
    appears: (name) =>
      waitFor(
        () => `file ${name}`,
        () => existsSync(join(folder, name)),
      ),
  };
}

/** Variables of a shell that knows nothing of the machine the tests run on. */
export function plainEnvironment(
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const path = process.env["PATH"] ?? "";
  return { PATH: path, HOME: tmpdir(), LANG: "C.UTF-8", ...passCompileCache(), ...more };
}

function startCommand(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  const [program = "", ...words] = COMMAND;
  const child = spawn(program, [...words, ...args], {
    cwd: folder,
    env: plainEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let isOver = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (exitCode, signal) => {
      isOver = true;
      resolve({ exitCode, signal, stdout, stderr });
    });
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    child,
    ended,
    stderr: () => stderr,
    says: (text) =>
      waitFor(
        () => `"${text}" on stderr, which says:\n${stderr}`,
        () => stderr.includes(text),
        () => isOver,
      ),
  };
}

const WAIT_MS_MAX = 40_000;
// To look in every turn of the loop would take a processor away from the process that is waited for.
const LOOK_MS = 5;

/** Looks again and again until it is so; gives up at once when `isOver` says that it will never be. */
export async function waitFor(
  what: () => string,
  isSo: () => boolean,
  isOver: () => boolean = () => false,
): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!isSo()) {
    if (isOver()) throw new Error(`The command has ended before ${what()}`);
    if (performance.now() > endMs) throw new Error(`Waited ${WAIT_MS_MAX} ms for ${what()}.`);
    await pause(LOOK_MS);
  }
}

/** The one document on stdout. */
export function parseDocument(ended: Ended): Record<string, unknown> {
  const value: unknown = JSON.parse(ended.stdout);
  if (typeof value !== "object" || value === null) throw new Error("stdout holds no document");
  return { ...value };
}
