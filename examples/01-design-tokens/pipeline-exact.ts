// The stages of pipeline.ts for those who want all or nothing: the first picture or extractor that fails for
// good ends its stage and the run. The only difference is `onItemFailure`.
import { input, map, pipeline, stage } from "millrace";
import type { ItemOutcome } from "millrace";
import { toItemKey } from "./image/image-folder.ts";
import { ImageFault } from "./image/png-file.ts";
import { decoder } from "./resources.ts";
import {
  aggregateTokens,
  extractReading,
  generateFiles,
  listExtractItems,
  listFiles,
  prepareFile,
  SOURCE,
  validateSet,
  verifyFiles,
} from "./stages.ts";
import type { StoredImage } from "./stages.ts";

const source = input(SOURCE);

const preprocess = map(
  "preprocess",
  {
    needs: { source },
    over: listFiles,
    key: ({ file }) => toItemKey(file),
    uses: [decoder],
    onItemFailure: "fail",
    classify: (error) => (error instanceof ImageFault ? "permanent" : undefined),
  },
  prepareFile,
);

const extract = map(
  "extract",
  {
    needs: { source, images: preprocess },
    over: ({ images }: { readonly images: readonly StoredImage[] }) =>
      listExtractItems({ images: asOutcomes(images) }),
    key: ({ file, extractor }) => [toItemKey(file), extractor],
    uses: [decoder],
    onItemFailure: "fail",
  },
  extractReading,
);

const aggregate = stage(
  "aggregate",
  { needs: { source, images: preprocess, readings: extract } },
  ({ source: input, images, readings }, context) =>
    aggregateTokens(
      { source: input, images: asOutcomes(images), readings: asOutcomes(readings) },
      context,
    ),
);

const validate = stage("validate", { needs: { source, tokens: aggregate } }, validateSet);

const generate = stage(
  "generate",
  { needs: { source, images: preprocess, set: validate }, verify: verifyFiles },
  (needs, context) => generateFiles({ ...needs, images: asOutcomes(needs.images) }, context),
);

/** A list without failures, in the form that one with failures has. */
function asOutcomes<Value>(values: readonly Value[]): ItemOutcome<Value>[] {
  return values.map((value, index) => ({ key: `${index}`, index, status: "succeeded", value }));
}

export const designTokensExact = pipeline("design-tokens-exact", {
  input: source,
  output: { generate },
  defaults: { retry: { attempts: 3, initialDelay: "200ms" }, timeout: "2m" },
  description: "Design tokens from a folder of PNG files; every file must be readable.",
});
