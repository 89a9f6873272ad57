// A module that is loaded late and lies in a shared chunk may get a file of one line, which gives its names back: a
// passage. Finding, reading and linking a file costs a start a millisecond whatever is in it, so whoever would go
// through a passage imports the shared chunk itself.

const PASSAGE =
  /^import\{(?<taken>[^}]*)\}from"(?<chunk>\.\/[^"]+)";export\{(?<given>[^}]*)\};\s*$/;
const ASKED = /import\(["`](?<folder>\.\/|\.\.\/chunks\/)(?<file>[^"`]+)["`]\)/g;

/** The code of a bundle by the path of its files, without the passages among `chunks/`. */
export function dropPassages(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const direct = new Map<string, string>();
  for (const [path, code] of files) {
    const instead = path.startsWith("chunks/") ? findDirect(code) : undefined;
    if (instead !== undefined) direct.set(path.slice("chunks/".length), instead);
  }
  const kept = [...files].filter(([path]) => !direct.has(path.replace(/^chunks\//, "")));
  return new Map(
    kept.map(([path, code]) => [
      path,
      code.replaceAll(
        ASKED,
        (asked, folder: string, file: string) => direct.get(file)?.replace("./", folder) ?? asked,
      ),
    ]),
  );
}

/** What is imported in its place; undefined for a file that is more than a passage. */
function findDirect(code: string): string | undefined {
  const { taken, chunk, given } = PASSAGE.exec(code)?.groups ?? {};
  if (taken === undefined || chunk === undefined || given === undefined) return undefined;
  const inChunk = new Map(
    taken.split(",").map((part) => {
      const [name, local] = toPair(part);
      return [local, name];
    }),
  );
  const names = given.split(",").map((part) => {
    const [local, name] = toPair(part);
    return `${name}:chunk.${inChunk.get(local) ?? local}`;
  });
  return `import("${chunk}").then(chunk=>({${names.join(",")}}))`;
}

/** `a as b`, or `a` alone, which keeps its name. */
function toPair(part: string): readonly [string, string] {
  const [from = "", to = from] = part.split(" as ");
  return [from, to];
}
