// `millrace config schema`: the JSON Schema of what a configuration exports.

import { FILE_SCHEMA } from "../../../config/file-schema/file-schema.ts";
import type { CliContext } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { printDocument } from "../../print.ts";

/** Prints it. */
export async function run(context: CliContext): Promise<number> {
  printDocument(context, FILE_SCHEMA);
  return EXIT.ok;
}
