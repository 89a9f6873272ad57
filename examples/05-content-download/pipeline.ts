// A polite download of one document: where it lies, the document itself, whether it is one, its place by content, and
// a line for the manifest. One run per line of a list, from a queue, by any number of workers.
import { input, pipeline, provided, required, stage } from "millrace";
import { toPace } from "./pace.ts";
import { ARTIFACT } from "./resolve/artifact.ts";
import { RESOLVER_NAMES } from "./resolve/resolver.ts";
import { host } from "./resources.ts";
import type { Web } from "./settings.ts";
import * as stages from "./stages.ts";

const source = input(ARTIFACT);
const web = provided<Web>("web");

const resolve = stage(
  "resolve",
  {
    needs: { source, web },
    skips: true,
    // Longer than any pause that a host may ask for. Of a host that stays down, this ends the waiting.
    deadline: toPace(1_200),
    description: `Finds where the document lies. Asks, in this order: ${RESOLVER_NAMES.join(", ")}.`,
  },
  stages.resolve,
);

const download = stage(
  "download",
  {
    needs: { source, web, plan: required(resolve) },
    uses: ({ plan }) => [host.for(plan.location)],
    skips: true,
    description: "Fetches the document, if it has changed.",
  },
  stages.download,
);

const verify = stage(
  "verify",
  {
    needs: { source, web, got: required(download) },
    description: "Checks mark, size and SHA-256 of the file.",
  },
  stages.verify,
);

const store = stage(
  "store",
  {
    needs: { source, web, got: required(download), checked: required(verify) },
    description: "Names the file by its content; the same bytes are kept once.",
  },
  stages.store,
);

const manifest = stage(
  "manifest",
  {
    needs: { source, web, plan: resolve, got: download, checked: verify, kept: store },
    trigger: "all_done",
    skips: true,
    description: "Notes how the run ended, whatever that was.",
  },
  stages.manifest,
);

export const contentDownload = pipeline("content-download", {
  input: source,
  output: { manifest },
  defaults: {
    retry: {
      attempts: 3,
      initialDelay: toPace(60),
      factor: 2,
      maxDelay: toPace(3_600),
      jitter: 0.25,
    },
    timeout: "5m",
  },
  description: "Downloads documents politely, by several ways, into a store by content.",
});
