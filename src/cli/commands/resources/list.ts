// `millrace resources list`: how limits, quotas and breakers stand, also those that nobody has used yet.

import type { Settings } from "../../../config/resolve.ts";
import {
  listResources,
  type ResourceListQuery,
  type ResourcePage,
} from "../../../service/resources/list-resources.ts";
import { openReader } from "../../../service/queries/open-reader.ts";
import { renderResourceTable } from "../../answers/resource-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readPage } from "../../input/list-flags.ts";
import { parseResourceAddress } from "../../input/resource-address.ts";
import { declareConfigured } from "../../load/declare-configured.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { readSettings } from "../../settings.ts";
import { withStoreIfAny, type StoreReader } from "../../with-store.ts";

/** Lists resources. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const page = readPage(reader);
  reader.finish("npx millrace resources list --help");
  const [text] = args;
  const named = text === undefined ? undefined : parseResourceAddress(text);
  const query = {
    ...page,
    ...(named === undefined ? {} : { resource: named.name }),
    ...(named?.key === undefined ? {} : { key: named.key }),
  };
  const found =
    (await withStoreIfAny(context, (store, settings) => ask({ store, settings, query }))) ??
    (await askWithout(context, query));
  print(context, found, { words: text === undefined ? [] : [text], page });
  return EXIT.ok;
}

interface Question {
  readonly store: StoreReader;
  readonly settings: Settings;
  readonly query: ResourceListQuery;
}

interface Answer extends ResourcePage {
  readonly nowMs: number;
}

async function ask({ store, settings, query }: Question): Promise<Answer> {
  const page = await listResources({ store, resources: declareConfigured(settings) }, query);
  return { ...page, nowMs: store.nowMs() };
}

/** Nobody has made the store yet: what is declared can be told all the same. */
async function askWithout(context: CliContext, query: ResourceListQuery): Promise<Answer> {
  const store = await openReader("memory:");
  try {
    return await ask({ store, settings: await readSettings(context), query });
  } finally {
    await store.close();
  }
}

interface Asked {
  readonly words: readonly string[];
  readonly page: ReturnType<typeof readPage>;
}

function print(
  context: CliContext,
  { resources, nextCursor, nowMs }: Answer,
  { words, page }: Asked,
): void {
  if (context.flags.json) {
    const cursor = nextCursor === undefined ? {} : { nextCursor };
    printDocument(context, { schema: "millrace.resources/1", resources, ...cursor });
    return;
  }
  if (resources.length === 0) {
    printRemark(context, "no resources: nothing declares or uses one");
    return;
  }
  const look = lookOf(context, context.stdout);
  printAnswer(
    context,
    renderResourceTable(resources, { look, nowMs, withHolders: words.length > 0 }),
  );
  if (nextCursor === undefined) return;
  const limit = page.limit === undefined ? [] : ["--limit", String(page.limit)];
  const more = ["resources", "list", ...words, ...limit, "--cursor", nextCursor];
  printRemark(context, `more: ${nextCommand(context, more)}`);
}
