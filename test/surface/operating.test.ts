// The files to run a server with fit the server: what they start exists, and they wait for as long as it drains.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseCall } from "../../src/cli/parse-call.ts";
import { STOP_MS_DEFAULT } from "../../src/model/defaults.ts";

test("the unit of systemd starts a verb that exists and outwaits its drain", () => {
  const lines = readFileSync("docs/operating/millrace.service", "utf8").split("\n");
  for (const line of lines) expect(line).toMatch(/^(?:#.*|\[[A-Z]\w+\]|[A-Z]\w+=.+|)$/);
  const valueOf = (key: string): string =>
    lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
  const words = valueOf("ExecStart").split(" ");
  expect(words.slice(0, 3)).toEqual(["/usr/bin/env", "npx", "millrace"]);
  expect(parseCall(words.slice(3)).kind).toBe("verb");
  expect(Number(valueOf("TimeoutStopSec")) * 1_000).toBeGreaterThan(STOP_MS_DEFAULT);
  expect(valueOf("KillSignal")).toBe("SIGTERM");
});

test("the image runs a verb that exists, as nobody special, on the Node that is asked for", () => {
  const text = readFileSync("docs/operating/Containerfile", "utf8");
  const manifest = readFileSync("package.json", "utf8");
  const [, floor] = /"node": ">=(\d+)\./.exec(manifest) ?? [];
  expect(text).toContain(`FROM node:${floor}-slim`);
  expect(text).toContain("USER node");
  expect(text).toContain("STOPSIGNAL SIGTERM");
  const [, list = "[]"] = /^CMD (\[.*\])$/m.exec(text) ?? [];
  const words: unknown = JSON.parse(list);
  expect(Array.isArray(words) && parseCall(words.map(String)).kind).toBe("verb");
  const known =
    /^(?:#|FROM|WORKDIR|COPY|RUN|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)\b|^#/;
  for (const line of text.split("\n").filter((each) => each !== "")) expect(line).toMatch(known);
});
