import { instance } from "@viz-js/viz";
import { expect, test } from "vitest";
import { compileOrThrow } from "../compile/compile.ts";
import type { PipelineDefinition } from "../definition.ts";
import { toAscii } from "./drawing-ascii.ts";
import { toDot, toMermaid } from "./drawing.ts";
import type { StageState } from "../outcome.ts";

type Extra = Readonly<Record<string, object>>;

/** A pipeline from stage names to the names they need. */
function make(
  needs: Readonly<Record<string, readonly string[]>>,
  extra: Extra = {},
): PipelineDefinition {
  const stages = Object.entries(needs).map(([id, list]) => ({
    id,
    needs: list,
    run: () => id,
    ...extra[id],
  }));
  return compileOrThrow({ name: "drawn", options: { name: "drawn", stages }, byId: true });
}

const CRAWL = make(
  { fetch: [], parse: ["fetch"], thumb: ["fetch"], score: ["parse"], save: ["score", "thumb"] },
  { thumb: { critical: false }, score: { over: "parse", needs: [] } },
);

/** `fetch > parse` for every dependency. */
function listEdges(definition: PipelineDefinition): Set<string> {
  const name = (position: number): string => definition.stages[position]?.name ?? "";
  return new Set(
    definition.graph.needs.flatMap((list, to) => list.map((from) => `${name(from)} > ${name(to)}`)),
  );
}

interface VizGraph {
  readonly objects: readonly { readonly _gvid: number; readonly name: string }[];
  readonly edges: readonly { readonly tail: number; readonly head: number }[];
}

/** What Graphviz itself understands of the text. */
async function parseDot(text: string): Promise<VizGraph> {
  const viz = await instance();
  // The library's own type says only "object".
  return viz.renderJSON(text) as VizGraph;
}

test("R16: Graphviz parses the DOT text and finds every stage and every dependency in it", async () => {
  const graph = await parseDot(toDot(CRAWL));

  const names = new Map(graph.objects.map((object) => [object._gvid, object.name]));
  const edges = graph.edges.map(({ tail, head }) => `${names.get(tail)} > ${names.get(head)}`);
  expect(new Set(names.values())).toEqual(new Set(CRAWL.stages.map((stage) => stage.name)));
  expect(edges).toHaveLength(listEdges(CRAWL).size);
  expect(new Set(edges)).toEqual(listEdges(CRAWL));
});

test("R16: the Mermaid text declares every stage once and holds every dependency", () => {
  const lines = toMermaid(CRAWL).trimEnd().split("\n");

  const labels = new Map(
    lines.flatMap((line) => {
      const [, id, label] = /^ {2}(s\d+)\W+"(\w+)[^"]*"/.exec(line) ?? [];
      return id === undefined || label === undefined ? [] : [[id, label] as const];
    }),
  );
  const edges = lines.flatMap((line) => {
    const [, from = "", to = ""] = /^ {2}(s\d+) (?:-->|-\.->) (s\d+)$/.exec(line) ?? [];
    return from === "" ? [] : [`${labels.get(from)} > ${labels.get(to)}`];
  });
  expect(lines[0]).toBe("flowchart LR");
  expect([...labels.values()]).toEqual(CRAWL.stages.map((stage) => stage.name));
  expect(edges).toHaveLength(listEdges(CRAWL).size);
  expect(new Set(edges)).toEqual(listEdges(CRAWL));
});

test("an edge to a stage that runs also without its need is dotted or dashed", () => {
  expect(toMermaid(CRAWL)).toContain("s2 -.-> s4");
  expect(toMermaid(CRAWL)).toContain("s3 --> s4");
  expect(toDot(CRAWL)).toContain('"thumb" -> "save" [style=dashed];');
});

test("states of a run colour the stages and are written as words", async () => {
  const states = new Map<string, StageState>([
    ["fetch", "succeeded"],
    ["parse", "failed"],
    ["score", "upstream_failed"],
  ]);

  const mermaid = toMermaid(CRAWL, states);
  const dot = toDot(CRAWL, states);

  expect(mermaid).toContain('s0["fetch<br/>succeeded"]:::succeeded');
  expect(mermaid).toContain("classDef failed fill:#bc0101");
  expect(mermaid).not.toContain("classDef running");
  expect(dot).toContain(String.raw`label="score ×n\nupstream failed"`);
  await expect(parseDot(dot)).resolves.toBeDefined();
});

test("branches that part and meet again are drawn below each other", () => {
  expect(toAscii(CRAWL)).toBe(
    [
      "fetch ─┬─ parse ── score ×n ─┬─ save",
      "       └─ thumb ? ───────────┘",
      "",
      "×n once per item   ? not critical",
    ].join("\n"),
  );
});

test("a drawing in ASCII has nothing above 0x7e", () => {
  const drawing = toAscii(CRAWL, { ascii: true });

  expect(drawing).toMatch(/^[\n\x20-\x7e]*$/);
  expect(drawing.split("\n")[0]).toBe("fetch -+- parse -- score xn -+- save");
});

test.each<[string, Readonly<Record<string, readonly string[]>>, string]>([
  ["one stage", { a: [] }, "a"],
  ["several entries", { a: [], b: [], c: ["a", "b"] }, "a ─┬─ c\nb ─┘"],
  ["several ends", { a: [], b: ["a"], c: ["a"], d: ["a"] }, "a ─┬─ b\n   ├─ c\n   └─ d"],
  [
    "a direct dependency beside a longer way",
    { a: [], b: ["a"], c: ["a", "b"] },
    "a ─┬─ b ─┬─ c\n   └─────┘",
  ],
  ["parts without connection", { a: [], b: [], c: ["a"], d: ["b"] }, "a ── c\nb ── d"],
  [
    "forks within forks",
    { a: [], b: ["a"], c: ["a"], d: ["c"], e: ["c"], f: ["d", "e"], g: ["b", "f"] },
    "a ─┬─ b ─────────────┬─ g\n   └─ c ─┬─ d ─┬─ f ─┘\n         └─ e ─┘",
  ],
])("%s", (_name, needs, drawing) => {
  expect(toAscii(make(needs))).toBe(drawing);
});

test("a graph whose branches cross is listed by waves, each stage with what it needs", () => {
  const crossed = make({ a: [], b: ["a"], c: ["a"], d: ["b", "c"], e: ["b", "c"] });

  expect(toAscii(crossed)).toBe("1  a\n2  b  ← a\n   c  ← a\n3  d  ← b, c\n   e  ← b, c");
});

test("a drawing that is too wide is listed by waves instead", () => {
  const drawing = toAscii(CRAWL, { columnsMax: 20 });

  expect(drawing.split("\n")).toContain("4  save      ← score, thumb");
});

test("any graph is drawn with every stage in it, however tangled", () => {
  for (let seed = 0; seed < 200; seed++) {
    const count = 1 + (seed % 9);
    const needs = Object.fromEntries(
      Array.from({ length: count }, (_, to) => [
        `s${to}`,
        Array.from({ length: to }, (_unused, from) => from)
          .filter((from) => ((seed * 7 + from * 3 + to * 5) % 11) % 3 === 0)
          .map((from) => `s${from}`),
      ]),
    );
    const drawing = toAscii(make(needs));
    for (const name of Object.keys(needs)) expect(drawing).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test("thousands of stages are listed without taking the graph apart", () => {
  const needs = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, index) => [
      `s${index}`,
      index === 0 ? [] : [`s${index - 1}`],
    ]),
  );

  expect(toAscii(make(needs)).split("\n")).toHaveLength(2_000);
});
