import { expect, test } from "vitest";
import { parseCall, type Call } from "./parse-call.ts";
import { VERBS } from "./verb/verbs.ts";

function parse(...argv: string[]): Extract<Call, { kind: "verb" }> {
  const call = parseCall(argv);
  if (call.kind !== "verb") throw new Error(`Expected a verb, got ${call.kind}.`);
  return call;
}

function refuse(...argv: string[]): unknown {
  try {
    return parseCall(argv);
  } catch (error) {
    return error;
  }
}

test("flags of the verb, common flags and arguments come apart, in any order", () => {
  const call = parse(
    "run",
    "--json",
    "crawl.ts",
    "-k",
    "--skip",
    "a",
    "--skip=b",
    "--store",
    "memory:",
  );

  expect(call.verb.name).toBe("run");
  expect(call.args).toEqual(["crawl.ts"]);
  expect(call.options).toEqual({ k: true, skip: ["a", "b"] });
  expect(call.common).toEqual({ json: true, store: "memory:" });
});

test("common flags may stand before the verb, with values that look like verbs", () => {
  const call = parse("--store", "runs", "--json", "runs", "--limit", "3");

  expect(call.verb.name).toBe("runs");
  expect(call.common).toEqual({ store: "runs", json: true });
  expect(call.options).toEqual({ limit: "3" });
});

test("a flag with a no is a switch under its own name", () => {
  expect(parse("run", "--no-retry").options).toEqual({ noRetry: true });
  expect(parse("run").options).toEqual({});
});

test("short flags take their value with and without a blank", () => {
  expect(parse("run", "-j4").options).toEqual({ j: "4" });
  expect(parse("run", "-j", "50%").options).toEqual({ j: "50%" });
  expect(parse("run", "-n").options).toEqual({ dryRun: true });
});

test("a value may be a dash, and what follows two dashes is an argument", () => {
  expect(parse("run", "--input", "-").options).toEqual({ input: "-" });
  expect(parse("cancel", "--", "--odd").args).toEqual(["--odd"]);
});

test("all unknown flags are told at once, each with the nearest known one", () => {
  expect(refuse("run", "--onyl", "x", "--jsn=1")).toMatchObject({
    code: "FLAG_UNKNOWN",
    message: 'There are no flags "--onyl", "--jsn" here.',
    hint: '--onyl: did you mean "--only"? --jsn: did you mean "--json"?',
    next: "npx millrace run --help",
    details: { flags: ["--onyl", "--jsn"] },
  });
});

test("an unknown verb is told with the nearest, and hidden spellings are not listed", () => {
  const fault = refuse("grahp");
  expect(fault).toMatchObject({ code: "VERB_UNKNOWN", hint: 'did you mean "graph"?' });
  expect(fault).toMatchObject({
    details: {
      given: "grahp",
      known: VERBS.filter((verb) => verb.hidden !== true).map((verb) => verb.name),
    },
  });
  expect(refuse("zzzzzz")).toMatchObject({ next: "npx millrace --help" });
});

test.each(["snapshot", "simulate"])("the verb %s, which is not built, does not exist", (name) => {
  expect(refuse(name)).toMatchObject({ code: "VERB_UNKNOWN" });
});

test("missing and surplus arguments are told with the usage", () => {
  expect(refuse("why")).toMatchObject({
    code: "USAGE_INVALID",
    message: 'The verb "why" needs RUN[/STAGE[/KEY]].',
    hint: "usage: millrace why RUN[/STAGE[/KEY]] [flags]",
  });
  expect(refuse("runs", "extra")).toMatchObject({
    message: 'The verb "runs" takes no argument; "extra" is one too many.',
  });
});

test("a flag without its value is told", () => {
  expect(refuse("runs", "--limit")).toMatchObject({
    code: "USAGE_INVALID",
    message: "--limit: needs a value",
  });
});

test("the hidden spellings do what the verbs do that they stand for", () => {
  expect(parse("status", "last").args).toEqual(["last"]);
  expect(parse("validate", "a.ts").options).toEqual({ faultsOnly: true });
});

test("help, in every spelling, and the version", () => {
  const run = VERBS.find((verb) => verb.name === "run");

  for (const argv of [
    ["run", "--help"],
    ["help", "run"],
    ["run", "-h"],
  ]) {
    expect(parseCall(argv)).toEqual({ kind: "help", verb: run });
  }
  for (const argv of [[], ["--help"], ["-h"], ["help"]]) {
    expect(parseCall(argv)).toEqual({ kind: "help" });
  }
  expect(parseCall(["--version"])).toEqual({ kind: "version" });
  expect(parseCall(["run", "--version"])).toEqual({ kind: "version" });
});

test("a switch takes no value, and no flag may be spelt with other dashes", () => {
  expect(refuse("run", "--json=yes")).toMatchObject({
    code: "USAGE_INVALID",
    message: '--json: takes no value; got "yes"',
  });
  expect(refuse("run", "--j", "4")).toMatchObject({ code: "FLAG_UNKNOWN" });
});

test("switches of one letter may stand together", () => {
  expect(parse("run", "-kn").options).toEqual({ k: true, dryRun: true });
  expect(parse("run", "-knj4").options).toEqual({ k: true, dryRun: true, j: "4" });
});

test("every verb names a module that can be loaded", async () => {
  for (const verb of VERBS) {
    expect(typeof (await verb.load()).run).toBe("function");
  }
});

test("a verb of two words is read as one, wherever its flags stand", () => {
  const call = parse("export", "--json", "trace", "last", "-o", "a.csv");

  expect(call.verb.name).toBe("export trace");
  expect(call.args).toEqual(["last"]);
  expect(call.options).toEqual({ output: "a.csv" });
  expect(parseCall(["help", "export", "trace"])).toMatchObject({ verb: { name: "export trace" } });
  expect(parseCall(["export", "trace", "-h"])).toMatchObject({ verb: { name: "export trace" } });
  expect(parseCall(["export", "--help"])).toEqual({ kind: "help", family: "export" });
});

test("half a verb is told with what it can become", () => {
  expect(refuse("export")).toMatchObject({
    code: "VERB_UNKNOWN",
    hint: "known: export checkpoint, export trace",
    next: "npx millrace export checkpoint --help",
  });
  expect(refuse("export", "trac", "last")).toMatchObject({ hint: 'did you mean "export trace"?' });
});
