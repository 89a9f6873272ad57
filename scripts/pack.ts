// Lists what `npm pack` would ship and refuses what a user has no use for: tests, sources, examples
// and their data, and a tarball that outgrew its budget. Every door of package.json must be inside.
// Run it after the build.
//
//   node scripts/pack.ts                    exit 1 when anything is found

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { readText, report } from "./repository.ts";
import type { Finding } from "./repository.ts";
import { judgeStart } from "./start-weight.ts";

/** What npm says about the tarball, as far as it is judged here. */
export interface TarballListing {
  /** Bytes of the tarball. */
  readonly size: number;
  /** Bytes of its files. */
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** As much of package.json as decides what must be inside. */
export interface PackedManifest {
  readonly exports?: unknown;
  readonly bin?: unknown;
}

// The engine, the queue, resources, threads, the service with its API, the command and their types: some 600 KB packed of
// code, 300 KB of declarations. The dashboard comes with its own budget and raises these two by exactly that.
const PACKED_BYTES_MAX = 1_152 * 1024;
const UNPACKED_BYTES_MAX = 5 * 1024 * 1024;

const FORBIDDEN: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  { pattern: /\.test\./, message: "is a test or made from one" },
  {
    pattern: /(?<!\.d)\.[cm]?tsx?$/,
    message: "is a source, and Node strips no types in a package",
  },
  { pattern: /\.map$/, message: "is a map of sources that do not ship" },
  {
    pattern: /^(?:src|test|bench|scripts|examples|docs)\//,
    message: "is of use in a checkout only",
  },
  { pattern: /\.(?:png|jpe?g|csv|jsonl|pdf|wav|db|sqlite)$/, message: "is data of an example" },
  { pattern: /(?:^|\/)(?:fixtures|golden)\//, message: "is data of a test" },
  { pattern: /(?:^|\/)\.(?!d\.ts)/, message: "is a private file" },
];

/** Everything that speaks against shipping this tarball. */
export function judgePack(listing: TarballListing, manifest: PackedManifest): Finding[] {
  const paths = new Set(listing.files.map((file) => file.path));
  const unwanted = listing.files.flatMap(({ path }) => {
    const why = FORBIDDEN.find(({ pattern }) => pattern.test(path));
    if (why === undefined) return [];
    const message = `"${path}" ${why.message}; leave it out of "files" or of the build.`;
    return [{ file: path, rule: "nothing-unwanted", message }];
  });
  const doors = [...listPaths(manifest.exports), ...listPaths(manifest.bin)];
  const missing = doors.flatMap((door) => {
    const path = door.replace(/^\.\//, "");
    if (paths.has(path)) return [];
    const message = `package.json promises "${path}", and the tarball does not hold it; run \`npm run build\` first.`;
    return [{ file: "package.json", rule: "doors-are-inside", message }];
  });
  return [...unwanted, ...missing, ...judgeSize(listing)];
}

function judgeSize(listing: TarballListing): Finding[] {
  const heaviest = listing.files
    .toSorted((left, right) => right.size - left.size)
    .slice(0, 3)
    .map((file) => `${file.path} (${file.size})`);
  const judge = (what: string, bytes: number, max: number): Finding[] => {
    if (bytes <= max) return [];
    const message = `${bytes} bytes ${what}, the budget is ${max}; the heaviest are ${heaviest.join(", ")}.`;
    return [{ file: "package.json", rule: "byte-budget", message }];
  };
  return [
    ...judge("packed", listing.size, PACKED_BYTES_MAX),
    ...judge("unpacked", listing.unpackedSize, UNPACKED_BYTES_MAX),
  ];
}

/** Every file that `exports` or `bin` names, but those that only a checkout has. */
function listPaths(target: unknown): string[] {
  if (typeof target === "string") return [target];
  if (typeof target !== "object" || target === null) return [];
  return Object.entries(target)
    .filter(([condition]) => condition !== "@millrace/source")
    .flatMap(([, inner]) => listPaths(inner));
}

function listTarball(root: string): TarballListing {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const printed = execFileSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const listings: TarballListing[] = Object.values(JSON.parse(printed));
  const [listing] = listings;
  if (listing === undefined) throw new Error("npm pack listed no package.");
  return listing;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const listing = listTarball(root);
  const manifest: PackedManifest = JSON.parse(readText(root, "package.json"));
  const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KB`;
  report(
    "pack",
    [
      ...judgePack(listing, manifest),
      ...judgeStart(
        listing.files.map(({ path }) => path),
        (path) => readText(root, path),
      ),
    ],
    `${listing.files.length} files, ${kilobytes(listing.size)} packed of ${kilobytes(PACKED_BYTES_MAX)}, ` +
      `${kilobytes(listing.unpackedSize)} unpacked of ${kilobytes(UNPACKED_BYTES_MAX)}`,
  );
}
