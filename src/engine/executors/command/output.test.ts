import { expect, test } from "vitest";
import { COMMAND_OUTPUT_BYTES_MAX } from "../../../model/limits.ts";
import { CommandOutput } from "./output.ts";
import type { CommandProgress } from "./request.ts";

const LINE = `${"x".repeat(1_023)}\n`;

interface World {
  readonly output: CommandOutput;
  readonly lines: string[];
  readonly progress: CommandProgress[];
  readonly overflows: number[];
}

function setup(isGathered = true): World {
  const lines: string[] = [];
  const progress: CommandProgress[] = [];
  const overflows: number[] = [];
  const output = new CommandOutput({
    isGathered,
    onLine: (stream, line) => lines.push(`${stream}: ${line}`),
    onProgress: (told) => progress.push(told),
    onOverflow: () => overflows.push(1),
  });
  return { output, lines, progress, overflows };
}

test("progress lines of stdout are told, counted, and left out of everything else", () => {
  const { output, lines, progress } = setup();

  output.push("stdout", Buffer.from('{"a":1}\n{"millrace":"prog'));
  output.push("stdout", Buffer.from('ress","done":1,"total":2}\r\n{"a":2}'));
  output.end();

  expect(progress).toEqual([{ done: 1, total: 2 }]);
  expect(output.gathered.toString()).toBe('{"a":1}\n{"a":2}');
  expect(output.tail("stdout")).toEqual(['{"a":1}', '{"a":2}']);
  expect(lines).toEqual(['stdout: {"a":1}', 'stdout: {"a":2}']);
  expect(output.stdoutLines).toBe(3);
});

test("on stderr the same line is text like any other", () => {
  const { output, progress } = setup();

  output.push("stderr", Buffer.from('{"millrace":"progress","done":1}\n'));

  expect(progress).toEqual([]);
  expect(output.tail("stderr")).toEqual(['{"millrace":"progress","done":1}']);
  expect(output.stderrLines).toBe(1);
});

test("gathered output is the bytes as they came", () => {
  const { output } = setup();
  const bytes = Buffer.from([0x00, 0xff, 0x0d, 0x0a, 0x0a, 0x80, 0x0d]);

  for (const byte of bytes) output.push("stdout", Buffer.from([byte]));
  output.end();

  expect(output.gathered).toEqual(bytes);
});

test("nothing is gathered that nobody parses", () => {
  const { output, overflows } = setup(false);

  for (let mebibyte = 0; mebibyte < 11; mebibyte += 1) {
    output.push("stdout", Buffer.alloc(1024 * 1024, LINE));
  }

  expect(output.gathered).toHaveLength(0);
  expect(overflows).toEqual([]);
});

test.each([
  ["in lines", LINE],
  ["in one line", "x"],
])("output over the limit is told once, as soon as it is over, %s", (_name, filling) => {
  const { output, overflows } = setup();
  const half = Buffer.alloc(COMMAND_OUTPUT_BYTES_MAX / 2, filling);

  output.push("stdout", half);
  output.push("stdout", half);
  expect(overflows).toEqual([]);
  output.push("stdout", Buffer.from("y"));
  expect(overflows).toEqual([1]);
  output.push("stdout", half);
  output.push("stdout", Buffer.from("\n"));
  output.end();

  expect(overflows).toEqual([1]);
});

test("output of exactly the limit is kept whole", () => {
  const { output, overflows } = setup();

  output.push("stdout", Buffer.alloc(COMMAND_OUTPUT_BYTES_MAX, "x"));
  output.end();

  expect(overflows).toEqual([]);
  expect(output.gathered).toHaveLength(COMMAND_OUTPUT_BYTES_MAX);
});
