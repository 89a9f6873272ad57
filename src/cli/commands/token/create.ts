// `millrace token create`: makes an access token and shows it, this once.

import { isRole, ROLES } from "../../../service/access/identity.ts";
import { createToken } from "../../../service/access/tokens.ts";
import { findUserName } from "../../../std/machine.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { readSettings } from "../../settings.ts";
import { withMill } from "../queue/with-mill.ts";

/** Makes it. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const [name = ""] = args;
  const reader = new FlagReader(options);
  const role = reader.oneOf("role", [...ROLES]) ?? "read";
  const expiresInMs = reader.durationMs("expires");
  reader.finish("npx millrace token create --help");
  const settings = await readSettings(context);
  const token = await withMill(context, { pipelines: [], settings }, (mill) =>
    createToken(mill, {
      name,
      role: isRole(role) ? role : "read",
      actor: findUserName(),
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
    }),
  );
  if (context.flags.json) printDocument(context, { schema: "millrace.token/1", token });
  else {
    const until =
      token.expiresAt === undefined ? "until it is revoked" : `until ${token.expiresAt}`;
    printAnswer(context, token.token);
    printRemark(context, `token "${token.name}" (${token.role}, ${until}): it is not shown again`);
  }
  return EXIT.ok;
}
