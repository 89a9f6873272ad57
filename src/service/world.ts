// The parts of the engine's world that are this machine's own, for those who did not bring others.

import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Files } from "../engine/ports.ts";
import { LocalFiles } from "../storage/local-files.ts";

/** Files under the system's temporary folder, and no variables for children but those that are basic. */
export function systemWorldParts(): {
  readonly files: Files;
  readonly environment: Readonly<Record<string, string | undefined>>;
} {
  return { files: new LocalFiles(join(tmpdir(), "millrace-runs")), environment: basicEnvironment };
}

let basicEnvironment: Readonly<Record<string, string | undefined>> = {};

/** Gives the variables that command stages may be given from. Called once by the composition root. */
export function setEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  basicEnvironment = environment;
}
