// The reference pages say what the code says.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/model/errors.ts";
import { EPHEMERAL_EVENT_TYPES, STORED_EVENT_TYPES } from "../../src/model/event.ts";
import { makePages } from "../../scripts/reference.ts";

test.each(makePages())("$path is what the code says", ({ path, text }) => {
  expect(readFileSync(path, "utf8")).toBe(text);
});

test("every error code and every event type is on its page", () => {
  const errors = readFileSync("docs/reference/errors.md", "utf8");
  for (const code of ERROR_CODES) expect(errors).toContain(`\`${code}\``);
  const events = readFileSync("docs/reference/events.md", "utf8");
  for (const type of [...STORED_EVENT_TYPES, ...EPHEMERAL_EVENT_TYPES]) {
    expect(events).toContain(`- \`${type}\``);
  }
});
