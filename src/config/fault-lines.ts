// Faults of settings as people read them: one a line, each with its place and what to do.

import type { DefinitionFault } from "../model/definition.ts";

/** `  worker.attemptsInFlight: expected ...; got 0 (hint)`, one line for each fault. */
export function definitionFaultLines(faults: readonly DefinitionFault[]): string {
  return faults
    .map(({ path, message, hint }) => {
      const at = path === "" ? "" : `${path}: `;
      return `  ${at}${message}${hint === undefined ? "" : ` (${hint})`}`;
    })
    .join("\n");
}
