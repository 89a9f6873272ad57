// Reads the text format of Prometheus as strictly as its description is: help and type before the samples of a figure,
// no series twice, histograms that rise and end with all there is. Written by hand, so that it judges who wrote the text.

import assert from "node:assert/strict";

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposition {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;
  /** The value of one series; undefined: there is none. */
  readonly value: (name: string, labels?: Readonly<Record<string, string>>) => number | undefined;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/;

export function parseExposition(text: string): Exposition {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const samples: Sample[] = [];
  const series = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === "HELP") helped.add(name);
    else if (kind === "TYPE") {
      assert.ok(helped.has(name) && !types.has(name), `${name} is described once, before its type`);
      assert.match(rest, /^(?:gauge|counter|histogram)$/);
      types.set(name, rest);
    } else {
      const sample = parseSample(line);
      assert.ok(types.has(familyOf(sample.name, types)), `${sample.name} has a type`);
      const address = addressOf(sample.name, sample.labels);
      assert.ok(!series.has(address), `${address} is there once`);
      series.add(address);
      samples.push(sample);
    }
  }
  checkHistograms(samples, types);
  return {
    samples,
    types,
    value: (name, labels = {}) =>
      samples.find((each) => addressOf(each.name, each.labels) === addressOf(name, labels))?.value,
  };
}

function parseSample(line: string): Sample {
  const [, name = "", , list = "", number = ""] =
    /^([^\s{]+)(\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)$/.exec(line) ?? [];
  assert.match(name, NAME, line);
  const labels: Record<string, string> = {};
  let left = list;
  while (left !== "") {
    const [all, key = "", value = ""] = LABEL.exec(left) ?? [];
    assert.ok(all !== undefined && !(key in labels), `labels of ${line}`);
    labels[key] = value.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
    left = left.slice(all.length);
  }
  return { name, labels, value: number === "+Inf" ? Infinity : Number(number) };
}

function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  const family = name.replace(/_(?:bucket|sum|count)$/, "");
  return types.get(family) === "histogram" ? family : name;
}

function addressOf(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, toPairs(labels)]);
}

function checkHistograms(samples: readonly Sample[], types: ReadonlyMap<string, string>): void {
  for (const [name, type] of types) {
    if (type !== "histogram") continue;
    for (const { labels, value } of samples.filter((each) => each.name === `${name}_count`)) {
      const buckets = samples.filter(
        (each) =>
          each.name === `${name}_bucket` &&
          Object.entries(labels).every(([key, one]) => each.labels[key] === one),
      );
      const values = buckets.map((each) => each.value);
      assert.deepEqual(
        values,
        values.toSorted((left, right) => left - right),
        `${name} rises`,
      );
      assert.equal(buckets.at(-1)?.labels["le"], "+Inf");
      assert.equal(values.at(-1), value, `${name} ends with all`);
    }
  }
}

function toPairs(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted((left, right) => (left < right ? -1 : 1));
}
