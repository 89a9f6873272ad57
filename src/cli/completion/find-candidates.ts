// What may stand where the cursor is, from the words before it: verbs and flags from the list that help is made of, names
// from whoever knows them. Pure but for what the sources ask.

import { LOG_LEVELS } from "../../config/define-config.ts";
import { SETTING_KEYS } from "../../config/setting-keys.ts";
import { RUN_STATES } from "../../model/run.ts";
import { COMMON_FLAGS } from "../verb/verb-flags.ts";
import { readFlag, type ReadFlag, type VerbSpec } from "../verb/verb.ts";
import { VERBS } from "../verb/verbs.ts";
import { SHELLS } from "./scripts.ts";

/** One word that may stand there. */
export interface Candidate {
  readonly word: string;
  /** A few words for people; may be empty. */
  readonly about: string;
}

/** Who knows names. Each may be slow, and may fail. */
export interface NameSources {
  pipelines(): Promise<readonly Candidate[]>;
  /** Of a pipeline or file, or of a run. */
  stages(
    of: { readonly pipeline: string | undefined } | { readonly run: string },
  ): Promise<readonly Candidate[]>;
  schedules(): Promise<readonly Candidate[]>;
  resources(): Promise<readonly Candidate[]>;
  /** The newest ones. */
  runs(): Promise<readonly Candidate[]>;
}

/** Candidates that are given at most. */
const CANDIDATES_MAX = 200;

const SHOWN = VERBS.filter((verb) => verb.hidden !== true);
const COMMON: readonly ReadFlag[] = COMMON_FLAGS.map(readFlag);

/** Values of flags that have a few. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  log: ["auto", "live", "lines", "json", "agent", "quiet"],
  color: ["auto", "always", "never"],
  logs: ["all", "failed", "none"],
  state: RUN_STATES,
  level: LOG_LEVELS,
  role: ["read", "operate", "admin"],
};

const STAGE_FLAGS: readonly string[] = ["only", "until", "from", "skip", "force"];

/** `words`: those after `millrace`; the last one is being written, and may be empty. */
export async function findCandidates(
  words: readonly string[],
  sources: NameSources,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? "";
  const place = readPlace(words.slice(0, -1));
  const found = await listAt(place, current, sources);
  return found
    .filter(({ word }) => word.startsWith(current) && !/[\s\p{Cc}]/u.test(word))
    .slice(0, CANDIDATES_MAX);
}

interface Place {
  readonly verb: VerbSpec | undefined;
  /** Words that are no flags, without those of the verb. */
  readonly args: readonly string[];
  /** First word of verbs that have two. */
  readonly family: string | undefined;
  /** A flag whose value is to come. */
  readonly open: ReadFlag | undefined;
}

function readPlace(before: readonly string[]): Place {
  const plain: string[] = [];
  let open: ReadFlag | undefined;
  for (const word of before) {
    const isValue = open !== undefined;
    open = isValue || !word.startsWith("-") ? undefined : findOpen(findVerb(plain)?.verb, word);
    if (!isValue && !word.startsWith("-")) plain.push(word);
  }
  const known = findVerb(plain);
  if (known !== undefined)
    return { verb: known.verb, args: plain.slice(known.length), family: undefined, open };
  return { verb: undefined, args: plain, family: plain[0], open };
}

function findVerb(
  plain: readonly string[],
): { readonly verb: VerbSpec; readonly length: number } | undefined {
  for (const length of [2, 1]) {
    const name = plain.slice(0, length).join(" ");
    const verb = VERBS.find((one) => one.name === name);
    if (verb !== undefined && plain.length >= length) return { verb, length };
  }
  return undefined;
}

function findOpen(verb: VerbSpec | undefined, word: string): ReadFlag | undefined {
  const flags = [...(verb?.flags ?? []).map(readFlag), ...COMMON];
  return flags.find((flag) => flag.takesValue && flag.spellings.includes(word));
}

async function listAt(
  place: Place,
  current: string,
  sources: NameSources,
): Promise<readonly Candidate[]> {
  const { verb, family, open } = place;
  if (open !== undefined) return await listValues(place, open, { current, sources });
  if (current.startsWith("-")) {
    return [...(verb?.flags ?? []), ...COMMON_FLAGS].flatMap((flag) =>
      readFlag(flag).spellings.map((word) => ({ word, about: flag.about })),
    );
  }
  if (verb === undefined) return listVerbs(family);
  // A verb that is the first word of others, too: those may follow.
  const longer = place.args.length === 0 ? listVerbs(verb.name) : [];
  return [...longer, ...(await listArguments(place, verb, { current, sources }))];
}

function listVerbs(family: string | undefined): readonly Candidate[] {
  const found = new Map<string, string>();
  for (const { name, summary } of SHOWN) {
    const [first = name, second] = name.split(" ");
    if (family === undefined) found.set(first, second === undefined ? summary : `${first} …`);
    else if (first === family && second !== undefined) found.set(second, summary);
  }
  return [...found].map(([word, about]) => ({ word, about }));
}

interface Asked {
  readonly current: string;
  readonly sources: NameSources;
}

async function listValues(
  place: Place,
  { name }: ReadFlag,
  { current, sources }: Asked,
): Promise<readonly Candidate[]> {
  const words = WORDS[name];
  if (words !== undefined) return inList(words.map(toCandidate), current);
  if (name === "pipeline" || name === "pipelines")
    return inList(await sources.pipelines(), current);
  if (!STAGE_FLAGS.includes(name)) return [];
  const [first] = place.args;
  const isOfRun = place.verb?.args[0]?.name.startsWith("RUN") === true;
  const of = isOfRun ? { run: first ?? "last" } : { pipeline: first };
  return inList(await sources.stages(of), current);
}

/** `a,b`: the words before the last comma stay. */
function inList(found: readonly Candidate[], current: string): readonly Candidate[] {
  const head = current.slice(0, current.lastIndexOf(",") + 1);
  return found.map(({ word, about }) => ({ word: head + word, about }));
}

async function listArguments(
  { args }: Place,
  verb: VerbSpec,
  { current, sources }: Asked,
): Promise<readonly Candidate[]> {
  const last = verb.args.at(-1);
  const { name } = verb.args[args.length] ?? (last?.variadic === true ? last : { name: "" });
  const pipelines = /pipeline/i.test(name) ? await quietly(sources.pipelines()) : [];
  const runs = name.includes("RUN") ? await listRuns(name, current, sources) : [];
  if (pipelines.length > 0 || runs.length > 0) return [...pipelines, ...runs];
  if (verb.name.startsWith("schedule ") && name === "NAME") return await sources.schedules();
  if (name.startsWith("NAME[/KEY]")) return await sources.resources();
  if (name === "SHELL") return SHELLS.map(toCandidate);
  if (verb.name.startsWith("config ") && name === "KEY")
    return Object.values(SETTING_KEYS).map(toCandidate);
  return [];
}

async function listRuns(
  name: string,
  current: string,
  sources: NameSources,
): Promise<readonly Candidate[]> {
  const cut = current.indexOf("/");
  if (cut < 0 || !name.includes("STAGE")) {
    const runs = await quietly(sources.runs());
    return runs.length === 0 ? [] : [{ word: "last", about: "the newest run" }, ...runs];
  }
  const run = current.slice(0, cut);
  const stages = await sources.stages({ run });
  return stages.map(({ word, about }) => ({ word: `${run}/${word}`, about }));
}

/** Where one source knows nothing, another may. */
function quietly(asked: Promise<readonly Candidate[]>): Promise<readonly Candidate[]> {
  return asked.catch(() => []);
}

function toCandidate(word: string): Candidate {
  return { word, about: "" };
}
