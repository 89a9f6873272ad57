// What exactly will be started: the author's functions are asked, and what no process can be started with
// is refused before anything runs. Arguments stay a list to the end; there is no shell that could read them.

import { extname } from "node:path/win32";
import { redact } from "../../../std/redact.ts";
import { quoteText, refuseCommand } from "./command-error.ts";
import { makeEnvironment } from "./environment.ts";
import type { CommandRequest } from "./request.ts";

/** A command, ready to be started. */
export interface CommandPlan {
  readonly program: string;
  readonly args: readonly string[];
  /** Null: nothing to read. */
  readonly stdin: string | Uint8Array | null;
  /** Undefined: the folder of our own process. */
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Throws a CommandError for what cannot be started, and whatever the author's functions throw. */
export function planCommand(request: CommandRequest): CommandPlan {
  const { shape, needs } = request;
  const argv = typeof shape.argv === "function" ? shape.argv(needs) : shape.argv;
  const stdin = typeof shape.stdin === "function" ? shape.stdin(needs) : shape.stdin;
  const cwd = typeof shape.cwd === "function" ? shape.cwd(needs) : shape.cwd;
  const [program, ...args] = checkArguments(argv);
  return {
    program: resolveProgram(program, process.platform),
    args,
    stdin: checkStdin(stdin),
    cwd: checkFolder(cwd),
    env: makeEnvironment(request),
  };
}

function checkArguments(argv: unknown): [string, ...string[]] {
  if (!Array.isArray(argv)) {
    throw refuseCommand(
      `A command's "argv" must be a list of text, got ${typeof argv}.`,
      `There is no shell: write ["git", "status"], not "git status".`,
    );
  }
  const [program, ...args] = argv.map(checkArgument);
  if (program === undefined || program === "") {
    throw refuseCommand(`A command's "argv" must begin with the name of a program, got nothing.`);
  }
  return [program, ...args];
}

function checkArgument(value: unknown, index: number): string {
  if (typeof value !== "string") {
    throw refuseCommand(`Entry ${index} of a command's "argv" must be text, got ${typeof value}.`);
  }
  if (redact(value) !== value) {
    throw refuseCommand(
      `Entry ${index} of a command's "argv" holds a secret, and every user of the machine can read arguments.`,
      'Hand it over in "env" or on "stdin".',
    );
  }
  if (value.includes("\0")) {
    throw refuseCommand(
      `Entry ${index} of a command's "argv" holds a NUL character, where every argument would end.`,
    );
  }
  return value;
}

/**
 * The program as it may be started on this platform. Windows runs .bat and .cmd files in a shell of its own
 * that reads the arguments again, so they are refused; a name without an ending gets ".exe", so that a
 * search of the path cannot find such a file either.
 */
export function resolveProgram(program: string, platform: NodeJS.Platform): string {
  if (platform !== "win32") return program;
  // Windows drops dots and spaces at the end of a file's name.
  const name = program.replace(/(?<![. ])[. ]+$/, "");
  const ending = extname(name).toLowerCase();
  if (ending === ".bat" || ending === ".cmd") {
    throw refuseCommand(
      `A command cannot start ${quoteText(program)}: Windows runs such files in a shell.`,
      `Start the program behind it, such as ["node.exe", "path/to/npm-cli.js"].`,
    );
  }
  return ending === ".exe" || ending === ".com" ? name : `${name}.exe`;
}

function checkStdin(stdin: unknown): string | Uint8Array | null {
  if (stdin === null || stdin === undefined) return null;
  if (typeof stdin === "string" || stdin instanceof Uint8Array) return stdin;
  throw refuseCommand(`A command's "stdin" must be text or bytes, got ${typeof stdin}.`);
}

function checkFolder(cwd: unknown): string | undefined {
  if (cwd === null || cwd === undefined) return undefined;
  if (typeof cwd === "string" && cwd !== "" && !cwd.includes("\0")) return cwd;
  const got = typeof cwd === "string" ? quoteText(cwd) : typeof cwd;
  throw refuseCommand(`A command's "cwd" must be the path of a folder, got ${got}.`);
}
