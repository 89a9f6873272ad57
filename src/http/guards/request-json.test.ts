import { expect, test } from "vitest";
import { parseRequestJson } from "./request-json.ts";

test("what is no JSON is refused with the place of its fault, and with nothing of what it holds", () => {
  const refusalOf = (text: string): string => {
    try {
      parseRequestJson(text);
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    return "";
  };
  expect(refusalOf('{"secret": "s3cr3t"\n, }')).toBe("The body is not JSON (line 2 column 3).");
  expect(refusalOf('{"secret": ')).toBe("The body is not JSON (it ends too early).");
  expect(refusalOf("s3cr3t")).not.toContain("s3cr3t");
});
