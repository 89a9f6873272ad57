// The hosts of the bundled list and what each of their addresses does. The papers are those of the literature review,
// served from where they lie.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as behave from "./behaviour.ts";
import type { Behaviour } from "./behaviour.ts";

const PAPERS = join(import.meta.dirname, "..", "..", "03-literature-review", "papers-gpl", "whole");

/** The papers, by name. */
export const PAPER_NAMES = [
  "zoo",
  "zoo-design",
  "zoo-faq",
  "zoo-quickref",
  "zoo-read",
  "sandwich",
  "sandwich-CL",
  "sandwich-OOP",
] as const;

/** One of them. */
export type PaperName = (typeof PAPER_NAMES)[number];

/** The bytes of a paper. */
export function readPaper(name: PaperName): Buffer {
  return readFileSync(join(PAPERS, `${name}.pdf`));
}

/** The path that is closed to robots. */
export const FORBIDDEN_PATH = "/private/";

const ROBOTS = behave.text(`User-agent: *\nDisallow: ${FORBIDDEN_PATH}\n`);

/** Behaviours by host and path, such as `papers.test/zoo.pdf`. What is not here is answered with 404. */
export function makeSites(): ReadonlyMap<string, Behaviour> {
  const paper = (name: PaperName): Behaviour => {
    const content = readPaper(name);
    return behave.serve(content, createHash("sha256").update(content).digest("hex").slice(0, 16));
  };
  return new Map([
    ...listGood(paper),
    ...listResolved(paper),
    ...listRefused(paper),
    ...listFaulty(paper),
    // Beside the bundled list: enough documents on one host, and enough entries of metadata, to see limits at work.
    ...PAPER_NAMES.flatMap((name): [string, Behaviour][] => [
      [`shelf.test/${name}.pdf`, paper(name)],
      [`resting.test/${name}.pdf`, behave.busyAtFirst("seconds", paper(name), 30)],
      [
        `metadata.test/works/shelf%2F${name}`,
        behave.json({ pdf: `http://shelf.test/${name}.pdf` }),
      ],
    ]),
    ...PAPER_NAMES.map((name): [string, Behaviour] => [
      `dead.test/${name}.pdf`,
      behave.deadUntilHealed(paper(name)),
    ]),
    ["dead.test/robots.txt", behave.deadUntilHealed(behave.text("User-agent: *\nDisallow:\n"))],
  ]);
}

type Sites = readonly (readonly [address: string, behaviour: Behaviour])[];
type Paper = (name: PaperName) => Behaviour;

/** Found at once, if not always fetched at once. */
function listGood(paper: Paper): Sites {
  return [
    ["papers.test/robots.txt", ROBOTS],
    ["papers.test/zoo.pdf", paper("zoo")],
    ["papers.test/go/zoo", behave.redirect("http://mirror.test/moved/zoo")],
    ["mirror.test/moved/zoo", behave.redirect("http://papers.test/zoo.pdf", 301)],
    ["mirror.test/copies/zoo.pdf", paper("zoo")],
    ["busy.test/zoo-design.pdf", behave.busyAtFirst("seconds", paper("zoo-design"))],
    ["busy.test/zoo-quickref.pdf", paper("zoo-quickref")],
    ["calendar.test/zoo-faq.pdf", behave.busyAtFirst("date", paper("zoo-faq"))],
  ];
}

/** Found by a landing page, by metadata, or in the archive alone. */
function listResolved(paper: Paper): Sites {
  const meta = `<html><head><meta name="citation_pdf_url" content="/files/zoo-quickref.pdf"></head></html>`;
  const link = `<html><body><a href="/about">About</a> <a href='../files/zoo-read.pdf'>PDF</a></body></html>`;
  const gone = encodeURIComponent("http://papers.test/gone/sandwich-OOP.pdf");
  return [
    ["journal.test/article/zoo-quickref", behave.page(meta)],
    ["journal.test/files/zoo-quickref.pdf", paper("zoo-quickref")],
    ["journal.test/article/zoo-read", behave.page(link)],
    ["journal.test/files/zoo-read.pdf", behave.awayAtFirst(2, paper("zoo-read"))],
    [
      "metadata.test/works/10.1%2Fsandwich",
      behave.json({ pdf: "http://papers.test/sandwich.pdf" }),
    ],
    ["papers.test/sandwich.pdf", paper("sandwich")],
    [
      "metadata.test/works/10.1%2Fsandwich-CL",
      behave.json({ pdf: "http://papers.test/sandwich-CL.pdf" }),
    ],
    ["papers.test/sandwich-CL.pdf", paper("sandwich-CL")],
    [
      `archive.test/lookup?of=${gone}`,
      behave.json({ snapshot: "http://archive.test/snapshots/sandwich-OOP.pdf" }),
    ],
    ["archive.test/snapshots/sandwich-OOP.pdf", paper("sandwich-OOP")],
  ];
}

/** Not taken, out of manners or policy. */
function listRefused(paper: Paper): Sites {
  return [
    [`papers.test${FORBIDDEN_PATH}zoo.pdf`, paper("zoo")],
    ["papers.test/abstract.pdf", behave.page("<h1>Abstract only</h1>")],
    ["papers.test/scans.pdf", behave.huge(80_000_000)],
  ];
}

/** Not to be had. */
function listFaulty(paper: Paper): Sites {
  return [
    ["faulty.test/error.pdf", behave.brokenInside(paper("zoo"))],
    ["faulty.test/loop/a.pdf", behave.redirect("/loop/b.pdf")],
    ["faulty.test/loop/b.pdf", behave.redirect("/loop/a.pdf")],
    ["torn.test/cut.pdf", behave.half(readPaper("zoo-faq"), "hang-up")],
    ["silent.test/stalled.pdf", behave.half(readPaper("zoo-faq"), "fall-silent")],
    ["faulty.test/inside.pdf", behave.redirect("http://10.0.0.7/secret.pdf")],
  ];
}
