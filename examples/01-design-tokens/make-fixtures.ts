// Makes the fixtures again: renders the three pages with Chromium, cuts and paints the faulty files, and
// writes `truth.json` (from tokens.css, coverage counted pixel by pixel) and the hashes in SOURCES.md.
// Needed only when a page changes; nothing in a run or a test calls it. It leaves the two real images
// alone: those come from a Debian package that SOURCES.md names.
//   node make-fixtures.ts [path to chromium]
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PNG } from "pngjs";

const FIXTURES = join(import.meta.dirname, "fixtures");
const CHROMIUM = process.argv[2] ?? "chromium";

const SHOTS = [
  { page: "landing", file: "landing-1280.png", width: 1280, height: 1080 },
  { page: "landing", file: "landing-512.png", width: 512, height: 1040 },
  { page: "status", file: "status-1280.png", width: 1280, height: 848 },
  { page: "status", file: "status-768.png", width: 768, height: 1048 },
  { page: "ticket", file: "ticket-512.png", width: 512, height: 832 },
  { page: "ticket", file: "ticket-960.png", width: 960, height: 536 },
] as const;

function renderPage(shot: (typeof SHOTS)[number]): void {
  const profile = mkdtempSync(join(tmpdir(), "make-fixtures-"));
  const page = pathToFileURL(join(FIXTURES, "pages", `${shot.page}.html`)).href;
  const flags = [
    "--headless --no-sandbox --disable-gpu --disable-background-networking",
    "--disable-component-update --disable-sync --hide-scrollbars --force-color-profile=srgb",
    "--disable-lcd-text --font-render-hinting=none",
  ].flatMap((line) => line.split(" "));
  execFileSync(
    CHROMIUM,
    [
      ...flags,
      `--user-data-dir=${profile}`,
      `--window-size=${shot.width},${shot.height}`,
      `--screenshot=${join(FIXTURES, "brand", shot.file)}`,
      page,
    ],
    { stdio: "ignore" },
  );
  rmSync(profile, { recursive: true, force: true });
}

function readVariables(prefix: string): Record<string, string> {
  const css = readFileSync(join(FIXTURES, "pages", "tokens.css"), "utf8");
  const found = css.matchAll(new RegExp(`--${prefix}-([\\w-]+):\\s*([^;]+);`, "g"));
  return Object.fromEntries([...found].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

/** Share of the pixels of a file that are exactly one of the colours, by variable name. */
function countCoverage(file: string, colors: Record<string, string>): Record<string, number> {
  const png = PNG.sync.read(readFileSync(join(FIXTURES, "brand", file)));
  const names = new Map(Object.entries(colors).map(([name, hex]) => [hex, name]));
  const counts: Record<string, number> = {};
  for (let at = 0; at < png.data.length; at += 4) {
    const name = names.get(`#${png.data.subarray(at, at + 3).toString("hex")}`);
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  const pixels = png.width * png.height;
  const rows = Object.keys(colors).map((name) => [name, (counts[name] ?? 0) / pixels] as const);
  return Object.fromEntries(
    rows.filter(([, share]) => share > 0).map(([name, share]) => [name, Number(share.toFixed(5))]),
  );
}

function toPixels(variables: Record<string, string>): number[] {
  return Object.values(variables).map((value) => Number.parseFloat(value));
}

function writeTruth(): void {
  const colors = readVariables("color");
  const { unit, ...scale } = readVariables("space");
  const truth = {
    colors,
    spacing: { unit: Number.parseFloat(unit ?? ""), scale: toPixels(scale) },
    radii: toPixels(readVariables("radius")).filter((radius) => radius < 999),
    textSizes: toPixels(readVariables("text")),
    images: SHOTS.map(({ file, width, height }) => ({
      file,
      width,
      height,
      coverage: countCoverage(file, colors),
    })),
  };
  writeFileSync(join(FIXTURES, "truth.json"), `${JSON.stringify(truth, null, 2)}\n`);
}

/** Paints wide bands of four colours, so that a picture larger than the limit stays small on disk. */
function paintLarge(): Buffer {
  const png = new PNG({ width: 3000, height: 2000, colorType: 2 });
  const bands = [0x0b3c5d, 0x177e89, 0xf2a93b, 0xf5f2ea];
  for (let at = 0; at < 3000 * 2000; at++) {
    const color = bands[Math.floor((at % 3000) / 750)] ?? 0;
    png.data.writeUInt32BE(color * 256 + 255, at * 4);
  }
  return PNG.sync.write(png, { colorType: 2, deflateLevel: 9 });
}

/** Red in every hidden colour channel: whoever forgets the alpha channel finds a red token. */
function paintTransparent(): Buffer {
  const png = new PNG({ width: 256, height: 160 });
  for (let at = 0; at < 256 * 160; at++) png.data.writeUInt32BE(0xe5393500, at * 4);
  return PNG.sync.write(png, { deflateLevel: 9 });
}

function writeFaulty(): void {
  const whole = readFileSync(join(FIXTURES, "brand", "status-1280.png"));
  const files: Record<string, Buffer> = {
    "cut-at-60-percent.png": whole.subarray(0, Math.floor(whole.length * 0.6)),
    "text-named.png": Buffer.from("This is a note, whatever its name says.\n"),
    "large-3000x2000.png": paintLarge(),
    "transparent.png": paintTransparent(),
  };
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(FIXTURES, "faulty", name), bytes);
  }
}

/** Replaces the table under the last heading of SOURCES.md with the hashes of all files. */
function writeHashes(): void {
  const file = join(FIXTURES, "SOURCES.md");
  const rows = readdirSync(FIXTURES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SOURCES.md")
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const bytes = readFileSync(path);
      const hash = createHash("sha256").update(bytes).digest("hex");
      return `| \`${path.slice(FIXTURES.length + 1)}\` | ${bytes.length} | \`${hash}\` |`;
    });
  const [text] = readFileSync(file, "utf8").split("## Files\n");
  const table = ["| File | Bytes | SHA-256 |", "| --- | --- | --- |", ...rows];
  writeFileSync(file, `${text ?? ""}## Files\n\n${table.join("\n")}\n`);
}

for (const shot of SHOTS) renderPage(shot);
writeFaulty();
writeTruth();
writeHashes();
