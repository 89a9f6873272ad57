// Design tokens from a folder of pictures, in five stages. What each one does is in stages.ts; here is what
// each one needs. A picture that cannot be read, or an extractor that fails on it, is noted and the rest goes
// on; `pipeline-exact.ts` has the same stages and stops instead.
import { input, map, pipeline, stage } from "millrace";
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

const source = input(SOURCE);

const preprocess = map(
  "preprocess",
  {
    needs: { source },
    over: listFiles,
    key: ({ file }) => toItemKey(file),
    uses: [decoder],
    onItemFailure: "continue",
    classify: (error) => (error instanceof ImageFault ? "permanent" : undefined),
    description: "Checks every PNG file and fits it into 1920 x 1080.",
  },
  prepareFile,
);

const extract = map(
  "extract",
  {
    needs: { source, images: preprocess },
    over: listExtractItems,
    key: ({ file, extractor }) => [toItemKey(file), extractor],
    uses: [decoder],
    onItemFailure: "continue",
    description: "Looks at every picture in four ways: colours, spacing, shapes, type.",
  },
  extractReading,
);

const aggregate = stage(
  "aggregate",
  {
    needs: { source, images: preprocess, readings: extract },
    description: "Joins what is the same, with every place it was seen.",
  },
  aggregateTokens,
);

const validate = stage(
  "validate",
  {
    needs: { source, tokens: aggregate },
    description: "Judges names, contrast and colour vision, and rates the set.",
  },
  validateSet,
);

const generate = stage(
  "generate",
  {
    needs: { source, images: preprocess, set: validate },
    verify: verifyFiles,
    description: "Writes W3C tokens, CSS, SCSS, TypeScript, Tailwind, Figma and the report.",
  },
  generateFiles,
);

export const designTokens = pipeline("design-tokens", {
  input: source,
  output: { generate },
  defaults: { retry: { attempts: 3, initialDelay: "200ms" }, timeout: "2m" },
  description: "Design tokens from a folder of PNG files.",
});
