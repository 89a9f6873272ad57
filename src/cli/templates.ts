// What `init` writes: a first pipeline of each kind and its configuration. Each one runs at once and offline,
// and shows one idea.

/** Names of the templates. */
export const TEMPLATES = ["hello", "map", "command"] as const;

/** Name of a template. */
export type Template = (typeof TEMPLATES)[number];

const HELLO = `// Two stages in a row and one beside them. Run it: npx millrace run pipelines/hello.ts
import { input, pipeline, stage } from "millrace";

const name = input<string | undefined>();

const greeting = stage("greet", { needs: { name } }, ({ name }) => \`Hello, \${name ?? "world"}!\`);

const shout = stage("shout", { needs: { greeting } }, ({ greeting }) => greeting.toUpperCase());

const letters = stage("count", { needs: { greeting } }, ({ greeting }) => greeting.length);

export const hello = pipeline("hello", { input: name, output: { shout, letters } });
`;

const MAP = `// One stage makes a list, a map does each item with retries, a last stage sums up.
// Kill it in the middle and run: npx millrace resume
import { map, pipeline, stage } from "millrace";

const words = stage("words", {}, () => ["spring", "river", "mill", "race", "wheel", "grain"]);

const lengths = map(
  "measure",
  { over: words, key: (word) => word, concurrency: 2, retry: 3, timeout: "10s" },
  (word) => ({ word, letters: word.length }),
);

const longest = stage("longest", { needs: { lengths } }, ({ lengths }) =>
  lengths.reduce((best, each) => (each.letters > best.letters ? each : best)),
);

export const measure = pipeline("measure", { output: { longest } });
`;

const COMMAND = `// A program as a stage: no shell, its own process group, a timeout, its output as a value.
import { command, pipeline, stage } from "millrace";

const version = command("version", {
  argv: [process.execPath, "--version"],
  parse: "text",
  timeout: "30s",
});

const report = stage("report", { needs: { version } }, ({ version }) => ({
  node: version.trim(),
}));

export const versions = pipeline("versions", { output: { report } });
`;

const SOURCES: Readonly<Record<Template, { readonly exported: string; readonly text: string }>> = {
  hello: { exported: "hello", text: HELLO },
  map: { exported: "measure", text: MAP },
  command: { exported: "versions", text: COMMAND },
};

/** Folder and file of a template's pipeline. */
export function pipelinePath(template: Template): string {
  return `pipelines/${template}.ts`;
}

/** Text of a template's pipeline. */
export function pipelineText(template: Template): string {
  return SOURCES[template].text;
}

/** Text of the configuration that lists it. */
export function configText(template: Template): string {
  const { exported } = SOURCES[template];
  return `import { defineConfig } from "millrace";
import { ${exported} } from "./${pipelinePath(template)}";

export default defineConfig({ pipelines: [${exported}] });
`;
}

/**
 * Text of a manifest that starts it.
 * @param name Of the folder; what a package name cannot hold is left out.
 * @param version Of the running copy.
 */
export function manifestText(template: Template, name: string, version: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-._]+/, "");
  const manifest = {
    name: plain === "" ? "pipelines" : plain,
    private: true,
    type: "module",
    scripts: { start: `millrace run ${pipelinePath(template)}` },
    dependencies: { millrace: `^${version}` },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
