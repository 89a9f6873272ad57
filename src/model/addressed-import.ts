// Whether a module is being imported by somebody who knows its address, and fills it in where a pipeline does not
// name its own: the command, or a process or thread that looks a stage up. By symbol, so that two copies of the
// package agree.

const MARK = Symbol.for("millrace.addressed");

/** Begins such an import; what it gives ends it. Imports may overlap. */
export function beginAddressedImport(): () => void {
  setCount(readCount() + 1);
  let isOver = false;
  return () => {
    if (!isOver) setCount(readCount() - 1);
    isOver = true;
  };
}

/** True while one is under way. */
export function isAddressedImport(): boolean {
  return readCount() > 0;
}

function readCount(): number {
  const found: unknown = Reflect.get(globalThis, MARK);
  return typeof found === "number" ? found : 0;
}

function setCount(count: number): void {
  Object.defineProperty(globalThis, MARK, { value: count, configurable: true });
}
