// What one run downloads: a line of the list. At least one way to it must be named; more of them are tried in turn.
import * as z from "zod";

const ADDRESS = z.string().min(1).max(2_048);

/** A line of the list. */
export const ARTIFACT = z
  .strictObject({
    id: z.string().min(1).max(256).describe("Stable name of the document; the key of its run."),
    url: ADDRESS.optional().describe("Where the document itself is said to be."),
    doi: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("Under this the metadata service knows it."),
    landing: ADDRESS.optional().describe("A page that links to the document."),
    type: z.string().default("application/pdf").describe("Expected media type."),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe("Expected digest; without it any content of the type will do."),
  })
  .refine(({ url, doi, landing }) => [url, doi, landing].some((way) => way !== undefined), {
    error: 'expected at least one of "url", "doi" and "landing"',
  });

/** A checked line. */
export type Artifact = z.infer<typeof ARTIFACT>;
