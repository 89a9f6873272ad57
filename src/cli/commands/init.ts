// `millrace init`: a first pipeline, its configuration, a line in .gitignore, and a manifest where there is
// none. Looks at everything first, so that it writes all or nothing; it overwrites nothing and installs nothing.

import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { quoteWord } from "../next-command.ts";
import { printDocument } from "../print.ts";
import {
  configText,
  manifestText,
  pipelinePath,
  pipelineText,
  TEMPLATES,
  type Template,
} from "../templates.ts";
import { readVersion } from "../../std/version.ts";

/** Writes a first pipeline. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const template = reader.oneOf("template", TEMPLATES) ?? "hello";
  reader.finish("npx millrace init --help");
  const folder = resolve(context.cwd, args[0] ?? ".");
  const files = listFiles(folder, template);
  refuseExisting(folder, files);
  for (const { path, text } of files) await write(folder, path, text);
  const ignored = await ignoreStore(folder);
  const created = [...files.map((file) => file.path), ...(ignored ? [".gitignore"] : [])];
  const next = listNext(context.cwd, folder, template);
  if (context.flags.json) printDocument(context, { schema: "millrace.init/1", created, next });
  else {
    context.stdout.write(`created ${created.join(", ")}\n`);
    const [first, ...then] = next;
    context.stdout.write(`next  ${first ?? ""}      then  ${then.join("  ")}\n`);
  }
  return EXIT.ok;
}

interface NewFile {
  readonly path: string;
  readonly text: string;
}

function listFiles(folder: string, template: Template): readonly NewFile[] {
  const files = [
    { path: "millrace.config.ts", text: configText(template) },
    { path: pipelinePath(template), text: pipelineText(template) },
  ];
  if (existsSync(join(folder, "package.json"))) return files;
  const manifest = manifestText(template, basename(folder), readVersion());
  return [...files, { path: "package.json", text: manifest }];
}

function refuseExisting(folder: string, files: readonly NewFile[]): void {
  const inTheWay = files.map(({ path }) => path).filter((path) => existsSync(join(folder, path)));
  if (inTheWay.length === 0) return;
  throw new MillraceError(
    "FILE_EXISTS",
    `Nothing was written: ${inTheWay.join(", ")} ${inTheWay.length === 1 ? "is" : "are"} there already.`,
    {
      hint: "init overwrites nothing; choose another folder",
      next: "npx millrace init demo",
      details: { files: inTheWay },
    },
  );
}

async function write(folder: string, path: string, text: string): Promise<void> {
  const full = join(folder, path);
  try {
    await mkdir(dirname(full), { recursive: true });
    // Refuses a file that came into being since we looked.
    await writeFile(full, text, { flag: "wx" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError("FILE_UNWRITABLE", `"${path}" cannot be written: ${reason}.`, {
      hint: "choose a folder that is yours",
      cause,
    });
  }
}

const IGNORED = ".millrace/";

/** Adds the store's folder to .gitignore; false: it was there. */
async function ignoreStore(folder: string): Promise<boolean> {
  const path = join(folder, ".gitignore");
  const text = existsSync(path) ? await readFile(path, "utf8") : "";
  if (text.split(/\r?\n/).some((line) => line.trim().replace(/^\//, "") === IGNORED)) return false;
  await appendFile(path, `${text === "" || text.endsWith("\n") ? "" : "\n"}${IGNORED}\n`);
  return true;
}

function listNext(cwd: string, folder: string, template: Template): readonly string[] {
  const inside = relative(cwd, folder);
  const enter = inside === "" ? "" : `cd ${quoteWord(inside)} && `;
  return [`${enter}npx millrace run ${pipelinePath(template)}`, "npx millrace show last"];
}
