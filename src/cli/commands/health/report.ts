// `millrace report`: what a run did, how two differ, or what the runs of a period came to; as Markdown, HTML, JSON or
// CSV, judged by targets where some are given.

import { MillraceError } from "../../../model/errors.ts";
import type { Settings } from "../../../config/resolve.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { refuseUnknownPipeline } from "../../input/refuse-unknown-pipeline.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readSince } from "../../input/list-flags.ts";
import { printAnswer, printDocument, printRemark, printText, toDocumentText } from "../../print.ts";
import { escapeControl } from "../../../std/text.ts";
import { listConfiguredPipelines } from "../../load/declare-configured.ts";
import {
  makeReport,
  type ReportFormat,
  type ReportQuestion,
} from "../../../service/report/make-report.ts";
import { readFormat, writeReportFile } from "../../report/report-file.ts";
import { sayMissed } from "../../../service/report/target-table.ts";
import { parseTarget } from "../../../service/report/targets.ts";
import { withStore, type StoreReader } from "../../with-store.ts";

/** Reports. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const file = reader.text("output");
  const format = readFormat(reader, file, context.flags.json);
  const question = readQuestion(context, reader, args);
  reader.finish("npx millrace report --help");
  const targets = reader.texts("target").map(parseTarget);
  const made = await withStore(context, async (store, settings) => {
    if (question.kind === "period") await checkPipeline(store, settings, question.pipeline);
    return await makeReport(store, question, targets);
  });
  const text = format === "json" ? `${toDocumentText(made.document, 2)}\n` : made.layOut(format);
  await put(context, { file, text, format });
  const missed = made.judged.filter(({ met }) => !met);
  for (const target of missed) printRemark(context, `missed: ${sayMissed(target)}`);
  return missed.length === 0 ? EXIT.ok : EXIT.failed;
}

async function checkPipeline(
  store: StoreReader,
  settings: Settings,
  pipeline: string | undefined,
): Promise<void> {
  const configured = listConfiguredPipelines(settings).map(({ name }) => name);
  const counts = await store.countRuns();
  refuseUnknownPipeline(pipeline, [...counts.keys(), ...configured]);
}

function readQuestion(
  context: CliContext,
  reader: FlagReader,
  args: readonly string[],
): ReportQuestion {
  const pipeline = reader.text("pipeline");
  const sinceMs = readSince(reader, context.clock.wallMs());
  const isPeriod = pipeline !== undefined || reader.has("since");
  const isComparison = reader.has("compare");
  const [first = "", second = ""] = args;
  const wanted = isComparison ? 2 : isPeriod ? 0 : 1;
  if (args.length !== wanted || (isComparison && isPeriod)) throw wrongArguments(args.length);
  if (isComparison) return { kind: "compare", before: first, after: second };
  if (!isPeriod) return { kind: "run", run: first };
  if (!reader.has("since")) reader.fault("since", "say from when: 24h, or an ISO time");
  return {
    kind: "period",
    sinceMs: sinceMs ?? 0,
    ...(pipeline === undefined ? {} : { pipeline }),
  };
}

function wrongArguments(count: number): MillraceError {
  return new MillraceError(
    "USAGE_INVALID",
    `A report is of a run (RUN), of two (--compare A B), or of a period (--since T); got ${count} ${count === 1 ? "run" : "runs"}.`,
    {
      hint: "name one run, two with --compare, or none with --since and maybe --pipeline",
      next: "npx millrace report --help",
    },
  );
}

async function* only(text: string): AsyncGenerator<string> {
  yield text;
}

async function put(
  context: CliContext,
  {
    file,
    text,
    format,
  }: { readonly file: string | undefined; readonly text: string; readonly format: ReportFormat },
): Promise<void> {
  if (file === undefined) {
    await printText(context, only(text));
    return;
  }
  const bytes = await writeReportFile(context, file, text);
  if (context.flags.json)
    printDocument(context, { schema: "millrace.report-file/1", file, format, bytes });
  else printAnswer(context, `wrote ${escapeControl(file)}`);
}
