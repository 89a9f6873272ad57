// Calls of the command in one long-lived process, for tests that need many: see `command-host.ts`.

import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { passCompileCache } from "./compile-cache.ts";
import { programWords } from "./suite-package.ts";

/** How a call ended. */
export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a call is given besides its words. */
export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Default: the folder of the host. */
  readonly folder?: string;
}

/** The process, and a folder of its own. */
export interface Host {
  readonly folder: string;
  call(argv: readonly string[], options?: CallOptions): Promise<Answer>;
  /** Writes files below the folder. */
  write(files: Readonly<Record<string, string>>): void;
  /** Makes another folder with these files. */
  makeFolder(files: Readonly<Record<string, string>>): string;
  close(): void;
}

const HOST = join(import.meta.dirname, "command-host.ts");

/** Starts the process. Close it. */
export function startHost(files: Readonly<Record<string, string>> = {}): Host {
  const [program = "", ...options] = programWords(HOST).toReversed();
  const child = fork(program, [], {
    execArgv: options,
    env: { PATH: process.env["PATH"] ?? "", ...passCompileCache() },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const folders: string[] = [];
  const makeFolder = (given: Readonly<Record<string, string>>): string => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-host-"));
    folders.push(folder);
    writeFiles(folder, given);
    return folder;
  };
  const folder = makeFolder(files);
  let last: Promise<unknown> = Promise.resolve();
  const died = new Promise<never>((_resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`The host ended with ${code}.`)));
  });
  died.catch(() => undefined);
  const send = (message: object): Promise<Answer> => {
    const answered = new Promise<Answer>((resolve) => {
      child.once("message", (answer: Answer) => resolve(answer));
    });
    child.send(message);
    return Promise.race([answered, died]);
  };
  return {
    folder,
    makeFolder,
    write: (more) => writeFiles(folder, more),
    call(argv, options = {}) {
      const message = { argv, folder, env: {}, stdin: "", ...options };
      const answer = last.then(() => send(message));
      last = answer.catch(() => undefined);
      return answer;
    },
    close() {
      child.kill();
      for (const made of folders) rmSync(made, { recursive: true, force: true });
    },
  };
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** The one document on stdout. */
export function documentOf({ stdout }: Answer): Record<string, unknown> {
  const value: unknown = JSON.parse(stdout);
  if (typeof value !== "object" || value === null) throw new Error("stdout holds no document");
  return { ...value };
}

/** Every file below a folder with its content, to see that nothing changed. */
export function readTree(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(folder.length + 1), readFileSync(path).toString("base64")] as const;
      }),
  );
}
