import { expect, test } from "vitest";
import { Emitter } from "./emitter.ts";

test("listeners hear every event in the order they came, until they leave", () => {
  const emitter = new Emitter<number>();
  const heard: string[] = [];
  const leave = emitter.on((event) => heard.push(`a${event}`));
  emitter.on((event) => heard.push(`b${event}`));

  emitter.emit(1);
  leave();
  leave();
  emitter.emit(2);

  expect(heard).toEqual(["a1", "b1", "b2"]);
  expect(emitter.size).toBe(1);
});

test("a listener that throws harms neither the emitter nor the others, and is reported", () => {
  const errors: unknown[] = [];
  const emitter = new Emitter<string>({ onListenerError: (error) => errors.push(error) });
  const heard: string[] = [];
  const fault = new Error("bad listener");
  emitter.on(() => {
    throw fault;
  });
  emitter.on((event) => heard.push(event));

  emitter.emit("x");
  expect(heard).toEqual(["x"]);
  expect(errors).toEqual([fault]);
});

test("a reporter that throws, or none at all, harms nobody either", () => {
  const heard: string[] = [];
  const reporters = [{}, { onListenerError: () => expect.unreachable() }];
  for (const options of reporters) {
    const emitter = new Emitter<string>(options);
    emitter.on(() => {
      throw new Error("bad listener");
    });
    emitter.on((event) => heard.push(event));
    emitter.emit("x");
  }
  expect(heard).toEqual(["x", "x"]);
});

test("listeners that come or go during an emit take effect with the next one", () => {
  const emitter = new Emitter<number>();
  const heard: string[] = [];
  const leaves: (() => void)[] = [];
  emitter.on((event) => {
    if (event > 1) return;
    for (const leave of leaves) leave();
    emitter.on((later) => heard.push(`new${later}`));
  });
  leaves.push(emitter.on((event) => heard.push(`old${event}`)));

  emitter.emit(1);
  emitter.emit(2);
  expect(heard).toEqual(["old1", "new2"]);
});

test("a listener added twice is called twice and leaves once at a time", () => {
  const emitter = new Emitter<number>();
  const heard: number[] = [];
  const listener = (event: number): void => void heard.push(event);
  const leave = emitter.on(listener);
  emitter.on(listener);
  emitter.emit(1);
  leave();
  leave();
  emitter.emit(2);
  expect(heard).toEqual([1, 1, 2]);
});
