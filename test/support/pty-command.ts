// The real command in a real pseudo-terminal, and the screen that a person would see.

import { spawn } from "@lydell/node-pty";
import { onTestFinished } from "vitest";
import { COMMAND, plainEnvironment, waitFor } from "./command.ts";
import { Screen } from "./screen.ts";

/** How the terminal is. */
export interface PtyOptions {
  readonly folder: string;
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command's own; default: those that start the command. */
  readonly command?: readonly string[];
}

/** A command in a terminal. */
export interface PtyRunning {
  readonly screen: Screen;
  readonly pid: number;
  /** Everything that came, as it came. */
  bytes(): string;
  /** Resolves when screen and scrollback show the text, or are as asked. */
  shows(wanted: string | RegExp | (() => boolean)): Promise<void>;
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  readonly ended: Promise<{ readonly exitCode: number; readonly signal: number | undefined }>;
}

/** Starts the command in a terminal; it is killed when the test has ended. */
export function startInPty(options: PtyOptions, ...args: readonly string[]): PtyRunning {
  const { folder, columns, rows, env } = options;
  const screen = new Screen(columns, rows);
  const [program = "", ...words] = [...(options.command ?? COMMAND), ...args];
  const pty = spawn(program, words, {
    name: env?.["TERM"] ?? "xterm-256color",
    cols: columns,
    rows,
    cwd: folder,
    env: plainEnvironment({ TERM: "xterm-256color", ...env }),
  });
  let bytes = "";
  let isOver = false;
  pty.onData((text) => {
    bytes += text;
    void screen.write(text);
  });
  const ended = new Promise<{ exitCode: number; signal: number | undefined }>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      // What was written last is on its way through the screen's parser.
      void screen.write("").then(() => {
        isOver = true;
        resolve({ exitCode, signal });
      });
    });
  });
  onTestFinished(() => {
    try {
      pty.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  });
  const has = (wanted: string | RegExp | (() => boolean)): boolean => {
    if (typeof wanted === "function") return wanted();
    const shown = screen.whole().join("\n");
    return typeof wanted === "string" ? shown.includes(wanted) : wanted.test(shown);
  };
  return {
    screen,
    pid: pty.pid,
    ended,
    bytes: () => bytes,
    shows: (wanted) =>
      waitFor(
        () => `${String(wanted)} on a screen that shows:\n${screen.whole().join("\n")}`,
        () => has(wanted),
        () => isOver,
      ),
    type: (keys) => pty.write(keys),
    resize: (newColumns, newRows) => {
      screen.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
  };
}
