// The tree of requirements that papers are reviewed against: pillars, and in each what a paper may support.
import * as z from "zod";

const ID = z.string().regex(/^[A-Za-z][\w-]{0,31}$/);

const REQUIREMENT = z.strictObject({
  id: ID,
  title: z.string().min(1),
  /** What must hold, as a sentence. */
  text: z.string().min(1),
  /** Phrases of which a sentence must hold at least one to be a claim. */
  terms: z.array(z.string().min(2)).min(1),
});

const TREE = z
  .strictObject({
    title: z.string().min(1),
    /** The year from which the age of evidence counts; no clock is asked. */
    asOf: z.int().min(1900).max(2200),
    /** After so many years a paper counts half. */
    halfLifeYears: z.number().positive(),
    pillars: z
      .array(
        z.strictObject({
          id: ID,
          title: z.string().min(1),
          requirements: z.array(REQUIREMENT).min(1),
        }),
      )
      .min(1),
  })
  .refine(hasUniqueIds, "ids of pillars and requirements must differ from each other");

/** One thing that must hold. */
export type Requirement = z.infer<typeof REQUIREMENT>;

/** All of them, by pillar. */
export type RequirementTree = z.infer<typeof TREE>;

interface WithId {
  readonly id: string;
}

function hasUniqueIds(tree: {
  readonly pillars: readonly (WithId & { readonly requirements: readonly WithId[] })[];
}): boolean {
  const ids = tree.pillars.flatMap(({ id, requirements }) => [
    id,
    ...requirements.map((own) => own.id),
  ]);
  return new Set(ids).size === ids.length;
}

/** Reads the text of a requirement file. Throws, naming the fields, when it is no tree. */
export function parseRequirements(text: string): RequirementTree {
  const result = TREE.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new Error(z.prettifyError(result.error).replaceAll("\n", " "));
}

/** All requirements, in the order of the tree. */
export function listRequirements(tree: RequirementTree): Requirement[] {
  return tree.pillars.flatMap(({ requirements }) => requirements);
}
