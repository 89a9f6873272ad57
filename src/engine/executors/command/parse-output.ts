// What a command printed becomes the output of its stage. What cannot be read as it was declared is a failed
// attempt whose message says what was expected and what was there instead; repeating it is not worth while.

import type { CommandParse } from "../../../model/stage/stage-options.ts";
import { unreachable } from "../../../std/error/assert.ts";
import { redact } from "../../../std/redact.ts";
import { CommandError, quoteText } from "./command-error.ts";

/**
 * Reads stdout, progress lines already taken out. `json`: the whole of it. `jsonl`: a list, blank lines left
 * out. `text`: as it was printed, last line end included, what is not UTF-8 replaced. `none`: undefined.
 * Throws a CommandError (COMMAND_OUTPUT_INVALID).
 */
export function parseOutput(parse: CommandParse, stdout: Buffer): unknown {
  switch (parse) {
    case "none":
      return undefined;
    case "text":
      return stdout.toString("utf8");
    case "json":
      return parseText(toText(stdout, "JSON"), "Expected JSON on stdout");
    case "jsonl":
      return parseLines(toText(stdout, "JSON Lines"));
    default:
      return unreachable(parse);
  }
}

function parseLines(text: string): unknown[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      line.trim() === "" ? [] : [parseText(line, `Expected JSON on line ${index + 1} of stdout`)],
    );
}

function parseText(text: string, expectation: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const got = text.trim() === "" ? "nothing" : `text ${quoteText(text.trim())}`;
    // The platform's own words quote a few characters, which may be half a secret.
    throw refuseOutput(`${expectation}, got ${got}.`, redact(text) === text ? error : undefined);
  }
}

function toText(stdout: Buffer, kind: string): string {
  try {
    // Takes a byte order mark off, which JSON.parse would refuse.
    return new TextDecoder("utf-8", { fatal: true }).decode(stdout);
  } catch (error) {
    throw refuseOutput(`Expected ${kind} on stdout, got bytes that are not UTF-8 text.`, error);
  }
}

function refuseOutput(message: string, cause: unknown): CommandError {
  return new CommandError(message, {
    code: "COMMAND_OUTPUT_INVALID",
    millraceClass: "permanent",
    hint: "Print the result alone on stdout, and everything else on stderr.",
    cause,
  });
}
