// `millrace token list`: the access tokens of the store, without their text, which nobody has.

import { listTokens } from "../../../service/access/tokens.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { renderTable } from "../../render/table.ts";
import { lookOf } from "../../render/look.ts";
import { readSettings } from "../../settings.ts";
import { withMill } from "../queue/with-mill.ts";

/** Lists them. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  new FlagReader(options).finish("npx millrace token list --help");
  const settings = await readSettings(context);
  const parts = { pipelines: [], settings };
  const tokens = await withMill(context, parts, (mill) => listTokens(mill));
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.tokens/1", tokens });
    return EXIT.ok;
  }
  if (tokens.length === 0) {
    printRemark(context, "no tokens besides that of the token file");
    return EXIT.ok;
  }
  const look = lookOf(context, context.stdout);
  const table = renderTable(
    {
      columns: [
        { head: "TOKEN" },
        { head: "ROLE" },
        { head: "STATE" },
        { head: "MADE BY" },
        { head: "MADE" },
        { head: "ENDS" },
      ],
      rows: tokens.map(({ name, role, state, createdBy, createdAt, expiresAt, revokedAt }) => [
        name,
        role,
        state,
        createdBy,
        createdAt,
        revokedAt ?? expiresAt ?? "–",
      ]),
    },
    look,
  );
  printAnswer(context, table);
  return EXIT.ok;
}
