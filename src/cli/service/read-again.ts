// Reads the configuration again in a process of its own, as the command does it, and gives back what that found. The
// process is bounded in time; whatever it is that goes wrong is a fault of the file.

import { spawn } from "node:child_process";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { toConfigFault, type ConfigFault } from "../../config/show/config-fault.ts";
import { parsePlainSettings, type PlainSettings } from "../../config/show/plain-settings.ts";
import { formatDuration } from "../../std/duration.ts";
import type { CliContext } from "../cli-context.ts";
import { mainModule } from "../module-hooks.ts";

/** Longest time of one reading, ms: pipelines may import a lot. */
const READ_MS_MAX = 30_000;

/** What the files say now. */
export interface ReadAgain {
  /** Undefined: there are faults. */
  readonly settings: PlainSettings | undefined;
  /** Hash of each pipeline, by name. */
  readonly pipelines: Readonly<Record<string, unknown>>;
  readonly faults: readonly ConfigFault[];
}

/** Reads. `source`: the file as shown. Never rejects. */
export async function readAgain(
  context: CliContext,
  { path, source }: { readonly path: string; readonly source: string },
): Promise<ReadAgain> {
  const { store, logFile } = context.flags;
  const args = [
    ...process.execArgv,
    mainModule(),
    "config",
    "read",
    "--config",
    path,
    ...(store === undefined ? [] : ["--store", store]),
    ...(logFile === undefined ? [] : ["--log-file", logFile]),
  ];
  const { said, fault } = await runNode(context, args);
  const answer = parseAnswer(said);
  if (answer !== undefined) return answer;
  const faults = [toConfigFault(source, { path: "", message: fault })];
  return { settings: undefined, pipelines: {}, faults };
}

interface Said {
  /** The last message. */
  readonly said: unknown;
  /** Why it has said nothing of use, for the case that it has not. */
  readonly fault: string;
}

function runNode(context: CliContext, args: readonly string[]): Promise<Said> {
  const child = spawn(process.execPath, args, {
    cwd: context.cwd,
    env: { ...context.env },
    timeout: READ_MS_MAX,
    killSignal: "SIGKILL",
    // What the file prints is nothing to us.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  let said: unknown;
  child.on("message", (message) => {
    said = message;
  });
  return new Promise((resolve) => {
    const end = (): void => {
      const fault = child.killed
        ? `it could not be read within ${formatDuration(READ_MS_MAX)}`
        : "its process ended without an answer";
      resolve({ said, fault });
    };
    child.on("error", end);
    child.on("close", end);
  });
}

function parseAnswer(document: unknown): ReadAgain | undefined {
  if (!isPlainRecord(document) || document["schema"] !== "millrace.config-read/1") return undefined;
  const { settings, pipelines, faults } = document;
  return {
    settings: parsePlainSettings(settings),
    pipelines: isPlainRecord(pipelines) ? pipelines : {},
    faults: Array.isArray(faults) ? faults.flatMap(parseFault) : [],
  };
}

function parseFault(raw: unknown): readonly ConfigFault[] {
  if (!isPlainRecord(raw)) return [];
  const { source, key, value, expected, hint, message } = raw;
  const textOf = (one: unknown): string | null => (typeof one === "string" ? one : null);
  return [
    {
      source: textOf(source) ?? "",
      key: textOf(key) ?? "",
      value: textOf(value),
      expected: textOf(expected),
      hint: textOf(hint),
      message: textOf(message) ?? "it is not valid",
    },
  ];
}
