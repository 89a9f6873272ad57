// The requests of the guide to the API answer what the guide says, in its order.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as z from "zod";
import { test } from "vitest";
import { input, pipeline, stage } from "../../src/exports/index.ts";
import { makeApiWorld } from "../support/api-world.ts";

const source = input(z.object({ url: z.url() }));
const fetched = stage("fetch", { needs: { source } }, ({ source: { url } }) => url.length);
const crawl = pipeline("crawl", { input: source, output: { fetched } });

test("every request that the guide prints answers the status that it prints", async () => {
  const guide = readFileSync("docs/guides/api.md", "utf8");
  const blocks = [...guide.matchAll(/```http\n([\s\S]*?)```/g)].map(([, text = ""]) => text.trim());
  assert.ok(blocks.length >= 15);
  const { ask } = await makeApiWorld({ pipelines: [crawl] });
  for (const block of blocks) {
    const lines = block.split("\n");
    const [method = "", path = ""] = (lines[0] ?? "").split(" ");
    const body: unknown = lines.length > 2 ? JSON.parse(lines.slice(1, -1).join("\n")) : undefined;
    const answer = await ask(
      method,
      path.replace("/api/v1", ""),
      body === undefined ? {} : { body },
    );
    assert.equal(answer.status, Number(lines.at(-1)), `${block}\n${answer.text}`);
  }
});
