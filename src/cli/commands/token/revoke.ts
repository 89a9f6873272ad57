// `millrace token revoke`: refuses an access token from now on, in every process.

import { revokeToken } from "../../../service/access/tokens.ts";
import { findUserName } from "../../../std/machine.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { readSettings } from "../../settings.ts";
import { withMill } from "../queue/with-mill.ts";

/** Revokes it. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const [name = ""] = args;
  new FlagReader(options).finish("npx millrace token revoke --help");
  const settings = await readSettings(context);
  const token = await withMill(context, { pipelines: [], settings }, (mill) =>
    revokeToken(mill, name, { actor: findUserName() }),
  );
  if (context.flags.json) printDocument(context, { schema: "millrace.token/1", token });
  else printAnswer(context, `token "${token.name}" is revoked`);
  return EXIT.ok;
}
