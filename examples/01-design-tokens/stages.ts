// What the stages do, one function each: the domain work of the folders beside this file, tied to a run's
// folder and to the errors the engine understands. Which stage needs which is said in pipeline.ts.
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { PermanentError } from "millrace";
import type { Context, ItemOutcome } from "millrace";
import * as z from "zod";
import { readImage } from "./extract/extractor.ts";
import { EXTRACTORS } from "./extract/reading.ts";
import type { Extractor, Reading } from "./extract/reading.ts";
import { meetFault, parseFaults } from "../fault/fault.ts";
import { listImages } from "./image/image-folder.ts";
import type { ImageFile } from "./image/image-folder.ts";
import type { Size } from "./image/fit.ts";
import { packPicture, unpackPicture } from "./image/picture.ts";
import type { Picture } from "./image/picture.ts";
import { assertBytes } from "./image/png-file.ts";
import { prepareImage } from "./image/prepare.ts";
import type { PreparedImage } from "./image/prepare.ts";
import { renderFiles } from "./output/render-files.ts";
import { toW3c } from "./output/w3c.ts";
import { assertWritten, replaceFile, writeFiles } from "./output/write-files.ts";
import type { WrittenFile } from "./output/write-files.ts";
import { aggregateReadings } from "./tokens/aggregate.ts";
import { compareTokens } from "./tokens/difference.ts";
import type { TokenDifference } from "./tokens/difference.ts";
import type { FileError, TokenSet } from "./tokens/token.ts";
import { validateTokens } from "./tokens/validate.ts";
import type { ValidatedSet } from "./tokens/validate.ts";

/** The run's input. Every field has a default, so the pipeline runs without one. */
export const SOURCE = z
  .strictObject({
    images: z
      .string()
      .min(1)
      .default(join(import.meta.dirname, "fixtures", "brand"))
      .describe("Folder of PNG files, read with its subfolders."),
    out: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Folder for the results. Default: out/<name of the images folder> beside this file.",
      ),
    strict: z
      .boolean()
      .default(false)
      .describe("Leaves out tokens that are invalid or unsure; fails when none is left."),
    baseline: z.string().min(1).optional().describe("An earlier tokens.json to compare with."),
    faults: z.string().min(1).optional().describe("A file of faults to order; see fault/fault.ts."),
  })
  .prefault({});

/** The checked input. */
export type Source = z.infer<typeof SOURCE>;

/** What `preprocess` gives for one file. */
export interface StoredImage extends PreparedImage {
  /** Where the fitted picture lies: in the folder of the run, so that a resumed run finds it. */
  readonly pixels: string;
}

/** The items of `preprocess`. Fails for good when the folder cannot be read or holds no PNG file. */
export async function* listFiles({
  source,
}: {
  readonly source: Source;
}): AsyncGenerator<ImageFile> {
  const folder = resolve(source.images);
  let found = 0;
  try {
    for await (const file of listImages(folder)) {
      found++;
      yield file;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError(
      `the folder "${folder}" cannot be read: ${reason}. Name one with --input '{"images":"path"}'.`,
      { cause: error },
    );
  }
  if (found > 0) return;
  throw new PermanentError(
    `the folder "${folder}" holds no PNG file, expected at least one name that ends in .png.`,
  );
}

async function meetFaults(source: Source, context: Context): Promise<void> {
  if (source.faults === undefined) return;
  await meetFault(parseFaults(await readFile(source.faults, "utf8")), context);
}

/** One file to a picture that fits, stored in the folder of the run. Safe to repeat. */
export async function prepareFile(
  file: ImageFile,
  { source }: { readonly source: Source },
  context: Context,
): Promise<StoredImage> {
  await meetFaults(source, context);
  assertBytes(file.bytes, file.file);
  const { image, picture } = prepareImage(await readFile(file.path), file.file);
  const pixels = join(context.dir, `${image.sha256}.pixels`);
  await replaceFile(pixels, packPicture(picture), `${pixels}.${context.idempotencyKey}`);
  return { ...image, pixels };
}

/** One item of `extract`: a picture and a way of looking at it. */
export interface ExtractItem {
  readonly file: string;
  readonly extractor: Extractor;
  readonly pixels: string;
  readonly size: Size;
  readonly sha256: string;
}

/** Every prepared picture with every extractor, in the order of the files. */
export function listExtractItems({
  images,
}: {
  readonly images: readonly ItemOutcome<StoredImage>[];
}): ExtractItem[] {
  return images.flatMap(({ value }) => {
    if (value === undefined) return [];
    const { file, pixels, size, sha256 } = value;
    return EXTRACTORS.map((extractor) => ({ file, extractor, pixels, size, sha256 }));
  });
}

/** One picture looked at in one way. Safe to repeat. */
export async function extractReading(
  item: ExtractItem,
  { source }: { readonly source: Source },
  context: Context,
): Promise<Reading> {
  await meetFaults(source, context);
  return readImage(await readPicture(item), item.extractor);
}

async function readPicture({ file, pixels, size }: ExtractItem): Promise<Picture> {
  try {
    return unpackPicture(await readFile(pixels), size);
  } catch (error) {
    throw new PermanentError(
      `the prepared picture of "${file}" cannot be read from "${pixels}". Start again from preprocess.`,
      { cause: error },
    );
  }
}

/** What the map stages gave, with a name for each part. */
interface Extracted {
  readonly source: Source;
  readonly images: readonly ItemOutcome<StoredImage>[];
  readonly readings: readonly ItemOutcome<Reading>[];
}

/** All readings to one set of tokens, with the errors of every file that gave less than it should. */
export async function aggregateTokens(
  { source, images, readings }: Extracted,
  context: Context,
): Promise<TokenSet> {
  await meetFaults(source, context);
  const items = listExtractItems({ images });
  const found = readings.flatMap(({ index, value }) => {
    const item = items[index];
    return value === undefined || item === undefined ? [] : [{ file: item.file, reading: value }];
  });
  const errors: FileError[] = [
    ...images.flatMap((outcome) => toErrors(outcome, outcome.key, "preprocess")),
    ...readings.flatMap((outcome) => {
      const item = items[outcome.index];
      return toErrors(outcome, item?.file ?? outcome.key, item?.extractor ?? "extract");
    }),
  ];
  const seen = images.filter((image) => image.status === "succeeded").length;
  const set = aggregateReadings(found, { images: seen, errors });
  context.metric.set("tokens", set.tokens.length);
  return set;
}

function toErrors(outcome: ItemOutcome<unknown>, file: string, part: string): FileError[] {
  if (outcome.status === "succeeded") return [];
  const message = outcome.status === "failed" ? outcome.error?.message : undefined;
  return [{ file, part, message: message ?? outcome.status }];
}

/** The judged set. Fails for good when strict mode leaves nothing. */
export async function validateSet(
  { source, tokens }: { readonly source: Source; readonly tokens: TokenSet },
  context: Context,
): Promise<ValidatedSet> {
  await meetFaults(source, context);
  const set = validateTokens(tokens, { strict: source.strict });
  context.metric.set("overall", set.scores.overall);
  if (source.strict && set.tokens.length === 0) {
    throw new PermanentError(
      `no token is left in strict mode: ${tokens.tokens.length} found, ${set.dropped} dropped. ` +
        `Run without "strict" to see what there is.`,
    );
  }
  return set;
}

/** What the pipeline gives. The files themselves lie in `folder`. */
export interface Generated {
  /** Path of `report.html`: the file to open first. */
  readonly report: string;
  readonly tokens: number;
  /** 0 to 1. */
  readonly overall: number;
  readonly folder: string;
  readonly files: readonly WrittenFile[];
}

/** All files, each written as a whole. Safe to repeat: equal tokens give equal bytes. */
export async function generateFiles(
  needs: {
    readonly source: Source;
    readonly images: readonly ItemOutcome<StoredImage>[];
    readonly set: ValidatedSet;
  },
  context: Context,
): Promise<Generated> {
  await meetFaults(needs.source, context);
  const { source, set } = needs;
  const name = basename(resolve(source.images));
  const folder = resolve(source.out ?? join(import.meta.dirname, "out", name));
  const images = needs.images.flatMap(({ value }) => value ?? []);
  const difference = await compareWith(source.baseline, set);
  const files = renderFiles({
    brand: name.charAt(0).toUpperCase() + name.slice(1),
    set,
    images,
    ...(difference === undefined ? {} : { difference }),
  });
  const written = await writeFiles(folder, files, context.idempotencyKey);
  return {
    report: join(folder, "report.html"),
    tokens: set.tokens.length,
    overall: set.scores.overall,
    folder,
    files: written,
  };
}

async function compareWith(
  baseline: string | undefined,
  set: ValidatedSet,
): Promise<TokenDifference | undefined> {
  if (baseline === undefined) return undefined;
  try {
    return compareTokens(JSON.parse(await readFile(baseline, "utf8")), toW3c(set.tokens));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError(`the baseline "${baseline}" cannot be read: ${reason}`, {
      cause: error,
    });
  }
}

/** Reads the files again: what is not on the disk as it was written was not done. */
export async function verifyFiles(output: Generated): Promise<void> {
  await assertWritten(output.folder, output.files);
}
