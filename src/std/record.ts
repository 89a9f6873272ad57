// The one question asked of every unknown value before its fields may be read.

/** Whether fields can be read by name: any object but null. Says nothing about its class. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
