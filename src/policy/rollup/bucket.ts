// A bucket: what is kept of one minute or one day, numbers by name. A count is added up; a level remembers how often it
// was looked at, the sum, the lowest and the highest. All of them are whole numbers, so that whoever adds them in
// whatever order and pieces gets the same.

import { isRecord } from "../../std/record.ts";

/** What a level was like over some looks: how many, their sum, the lowest, the highest. */
export type Level = readonly [looks: number, sum: number, min: number, max: number];

/** What is kept of one minute or day. */
export type Bucket = Readonly<Record<string, number | Level>>;

/** A level as one look found it, a whole number. */
export function lookAt(value: number): Level {
  return [1, value, value, value];
}

/** A bucket with one more number in it. */
export function addToBucket(bucket: Bucket, name: string, by: number | Level): Bucket {
  const known = Object.hasOwn(bucket, name) ? bucket[name] : undefined;
  return { ...bucket, [name]: known === undefined ? by : add(known, by) };
}

function add(known: number | Level, by: number | Level): number | Level {
  if (typeof known === "number") return typeof by === "number" ? known + by : by;
  if (typeof by === "number") return by;
  const [looks, sum, min, max] = by;
  return [known[0] + looks, known[1] + sum, Math.min(known[2], min), Math.max(known[3], max)];
}

/** Reads a bucket from what was stored; what is damaged of it is left out. */
export function parseBucket(value: unknown): Bucket {
  if (!isRecord(value)) return {};
  const known: Record<string, number | Level> = {};
  for (const [name, each] of Object.entries(value)) {
    const parsed = parseNumber(each);
    if (parsed !== undefined) known[name] = parsed;
  }
  return known;
}

function parseNumber(value: unknown): number | Level | undefined {
  if (Number.isSafeInteger(value)) return Number(value);
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [looks, sum, min, max]: readonly unknown[] = value;
  const isLevel =
    typeof looks === "number" &&
    typeof sum === "number" &&
    typeof min === "number" &&
    typeof max === "number";
  return isLevel ? [looks, sum, min, max] : undefined;
}
