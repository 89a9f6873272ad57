// Where a run's pipeline was loaded from, as the text that a run keeps as its source: `resume` and `rerun`
// find the file again by it. `file:<path>#<pipeline>`; the path counts from the working folder where it lies
// below it, so that a project may move. `config`: the pipeline came from the configuration by its name.

import { isAbsolute, relative, resolve } from "node:path";
import { RUN_KEY_CHARS_MAX } from "../model/limits.ts";

/** What `resume` needs to load the pipeline again. */
export type RunOrigin =
  | { readonly kind: "file"; readonly path: string; readonly pipeline: string }
  | { readonly kind: "config" }
  | { readonly kind: "other" };

/** The source of a run whose pipeline came from this file; undefined: from the configuration by name. */
export function toRunSource(cwd: string, file: string | undefined, pipeline: string): string {
  if (file === undefined) return "config";
  const inside = relative(cwd, file);
  const isBelow = inside !== "" && !inside.startsWith("..") && !isAbsolute(inside);
  const source = `file:${isBelow ? inside.replaceAll("\\", "/") : file}#${pipeline}`;
  // A store keeps no longer one; resume then finds the pipeline by its name in the configuration.
  return source.length <= RUN_KEY_CHARS_MAX ? source : "config";
}

/** Reads such a source back; `path` absolute. Any other text, of a program that chose its own: `other`. */
export function parseRunSource(cwd: string, source: string): RunOrigin {
  if (source === "config") return { kind: "config" };
  const cut = source.lastIndexOf("#");
  if (!source.startsWith("file:") || cut === -1) return { kind: "other" };
  return {
    kind: "file",
    path: resolve(cwd, source.slice("file:".length, cut)),
    pipeline: source.slice(cut + 1),
  };
}
