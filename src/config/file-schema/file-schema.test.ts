import { expect, test } from "vitest";
import type { DefinitionFault } from "../../model/definition.ts";
import { isRecord } from "../../std/record.ts";
import { parseConfig } from "../schema.ts";
import { SETTING_KEYS } from "../setting-keys.ts";
import { FILE_SCHEMA } from "./file-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

function faultsOf(raw: unknown): readonly DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  parseConfig(raw, faults);
  return faults;
}

/** What a place needs besides what is looked at, so that nothing else is missing there. */
const COMPANY: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "schedules.a": { pipeline: "p", every: "5m" },
  "events.archive": { folder: "f" },
  "notify.targets.a": { url: "https://a.example", form: "slack" },
  notify: { targets: {} },
  "resources.a.quota": { rate: 1, per: "1s" },
  "resources.a.breaker.ratio": { of: 0.5, window: "1m", minCalls: 3 },
  "resources.a.breaker.keys.a.ratio": { of: 0.5, window: "1m", minCalls: 3 },
};

/** A configuration that says only this, at this place. */
function configWith(path: readonly string[], value: unknown): unknown {
  let made = value;
  for (let at = path.length - 1; at >= 0; at -= 1) {
    const company = COMPANY[path.slice(0, at).join(".")] ?? {};
    made = { ...company, [path[at] ?? ""]: made };
  }
  return made;
}

interface Place {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
}

/** Every schema there is, with its place; the keys of records by name are "a". */
function* listPlaces(schema: JsonSchema, path: readonly string[]): Generator<Place> {
  yield { path, schema };
  for (const [key, value] of Object.entries(schema.properties ?? {}))
    yield* listPlaces(value, [...path, key]);
  if (isRecord(schema.additionalProperties))
    yield* listPlaces(schema.additionalProperties, [...path, "a"]);
  for (const form of schema.anyOf ?? []) yield* listPlaces(form, path);
}

const places = [...listPlaces(FILE_SCHEMA, [])];
const records = places.filter(({ schema }) => schema.properties !== undefined);
const named = (list: readonly Place[]): readonly (readonly [string, Place])[] =>
  list.map((place) => [place.path.join(".") || "the file", place]);

test.each(named(records))("the keys of %s are those that the parser knows", (_name, place) => {
  const unknown = "qqqqqqqqqqqqqqqqqqqqqqqq";
  const faults = faultsOf(configWith([...place.path, unknown], 1));
  const fault = faults.find(({ path }) => path === [...place.path, unknown].join("."));
  const known = fault?.hint?.replace("known: ", "").split(", ");
  // Whether what a use costs is code, the parser says by itself.
  const told = known?.filter((key) => !(key === "cost" && place.path.at(-1) === "quota"));
  expect(told?.toSorted()).toEqual(Object.keys(place.schema.properties ?? {}).toSorted());
  expect(place.schema.additionalProperties).toBe(false);
});

const numbers = places.filter(({ schema }) => schema.minimum !== undefined);

test.each(named(numbers))("the bounds of %s are those of the parser", (_name, { path, schema }) => {
  const isTaken = (value: number): boolean => {
    const place = path.join(".");
    const about = faultsOf(configWith(path, value)).filter((fault) => fault.path === place);
    return about.every(({ message }) => !message.startsWith("expected a"));
  };
  const { minimum = 0, maximum = 0, type } = schema;
  expect([isTaken(minimum), isTaken(maximum)]).toEqual([true, true]);
  const step = type === "integer" ? 1 : minimum / 2 + 0.001;
  expect([isTaken(minimum - step), isTaken(maximum + 1)]).toEqual([false, false]);
  expect(isTaken(maximum - 0.5)).toBe(type === "number");
});

const words = places.filter(({ schema }) => schema.enum !== undefined);

test.each(named(words))("the words of %s are those of the parser", (_name, { path, schema }) => {
  const place = path.join(".");
  for (const word of schema.enum ?? []) {
    const faults = faultsOf(configWith(path, word));
    expect(faults.filter((fault) => fault.path === place)).toEqual([]);
  }
  expect(faultsOf(configWith(path, "qqqq"))).not.toEqual([]);
});

const durations = places.filter(({ schema }) => schema.$ref === "#/$defs/duration");

test.each(named(durations))("%s is a duration for the parser, too", (_name, { path }) => {
  expect(faultsOf(configWith(path, "10s"))).toEqual([]);
  expect(faultsOf(configWith(path, "10 s"))).not.toEqual([]);
});

test("every setting has its key in the schema, and every key but those of code is a setting", () => {
  const keys = Object.entries(FILE_SCHEMA.properties ?? {}).flatMap(([name, schema]) => {
    const sections = schema.anyOf?.flatMap(({ properties }) => Object.keys(properties ?? {}));
    const inside = name === "store" ? (sections ?? []) : Object.keys(schema.properties ?? {});
    const isWhole = inside.length === 0 || name === "events" || name === "notify";
    return isWhole ? [name] : inside.map((key) => `${name}.${key}`);
  });
  const expected = Object.values(SETTING_KEYS).map((key) => (key === "store" ? "store.url" : key));
  expect(keys.toSorted()).toEqual([...expected, "pipelines", "provide"].toSorted());
});

test("the schema holds all it takes: every reference is defined, every property described", () => {
  for (const { path, schema } of places) {
    const isDescribed = schema.description !== undefined || schema.$ref !== undefined;
    if (path.length === 1) expect([path, isDescribed]).toEqual([path, true]);
    if (schema.$ref !== undefined) expect(schema.$ref).toBe("#/$defs/duration");
  }
  expect(JSON.parse(JSON.stringify(FILE_SCHEMA))).toEqual(FILE_SCHEMA);
});
