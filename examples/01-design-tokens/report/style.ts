// The look of `report.html`: quiet surfaces, so that the only colours on the page are those it reports on.
// Light and dark follow the reader's system; narrow windows turn tables into cards.

/** The style sheet, as text. */
export const STYLE = `
:root {
  --bg: #f6f7f9; --surface: #ffffff; --line: #dfe3e8; --fg: #11161d; --fg-2: #4a5563; --fg-3: #5f6979;
  --bar: #e6e9ee; --fill: #11161d; --edge: rgb(17 22 29 / 0.12);
  --pass: #14653f; --pass-bg: #dff3e8; --fail: #a30d0d; --fail-bg: #fbe3e1;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0b0f14; --surface: #12181f; --line: #232b35; --fg: #e7ecf2; --fg-2: #a9b4c1; --fg-3: #8591a0;
    --bar: #232b35; --fill: #e7ecf2; --edge: rgb(231 236 242 / 0.16);
    --pass: #7fdcae; --pass-bg: #10301f; --fail: #ff9d93; --fail-bg: #3a1412;
  }
}
* { box-sizing: border-box; margin: 0; padding: 0; }
body {
  background: var(--bg); color: var(--fg);
  font: 15px/1.5 Inter, ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  -webkit-text-size-adjust: 100%; font-variant-ligatures: no-contextual;
}
main { max-width: 1160px; margin: 0 auto; padding: 56px 32px 96px; }
ul, ol { list-style: none; }
code { font: 0.86em/1.4 "JetBrains Mono", ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--fg-2); }
small { font-size: 13px; color: var(--fg-3); }
strong { font-weight: 600; }
h1 { font-size: clamp(34px, 6vw, 52px); line-height: 1.08; letter-spacing: -0.025em; font-weight: 700; overflow-wrap: anywhere; }
h2 { font-size: 22px; line-height: 1.25; letter-spacing: -0.012em; font-weight: 650; }
h3 { font-size: 14px; font-weight: 600; color: var(--fg-2); margin: 28px 0 12px; }
.over { font-size: 12px; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase; color: var(--fg-3); margin-bottom: 10px; }
.lead { font-size: 17px; color: var(--fg-2); margin: 14px 0 12px; max-width: 34em; }
.hint { color: var(--fg-3); margin-top: 4px; max-width: 46em; }
.none { color: var(--fg-3); }
.number { font-variant-numeric: tabular-nums; }
main > section { margin-top: 64px; }
main > section > h2 + :not(.hint), .hint + * { margin-top: 20px; }
main > section > p + ul { margin-top: 20px; }
main > section > p + .none { margin-top: 12px; }

header { display: flex; gap: 48px; align-items: flex-end; justify-content: space-between; margin-bottom: 36px; }
.scores { display: flex; gap: 28px; align-items: center; flex: none; }
.scores dl { width: 250px; display: grid; gap: 5px; font-size: 13px; color: var(--fg-2); }
.scores dl div { display: grid; grid-template-columns: 100px 1fr 28px; gap: 10px; align-items: center; }
.scores dd.number { text-align: right; color: var(--fg); }
.ring { width: 124px; height: 124px; flex: none; }
.ring circle { fill: none; stroke: var(--bar); stroke-width: 9; }
.ring .value { stroke: var(--fill); stroke-linecap: round; transform: rotate(-90deg); transform-origin: 50% 50%; }
.ring text { fill: var(--fg); font-size: 34px; font-weight: 680; text-anchor: middle; letter-spacing: -0.02em; }
.ring .unit { font-size: 11px; font-weight: 450; fill: var(--fg-3); letter-spacing: 0; }
.meter { display: block; height: 4px; border-radius: 2px; background: var(--bar); overflow: hidden; }
.meter i { display: block; height: 100%; border-radius: 2px; background: var(--fill); }

.ribbon { display: flex; height: 84px; border-radius: 14px; overflow: hidden; box-shadow: inset 0 0 0 1px var(--edge); }
.ribbon i { flex-basis: 0; min-width: 2px; box-shadow: inset 0 1px var(--edge), inset 0 -1px var(--edge); }
.ribbon i:first-child { border-radius: 14px 0 0 14px; box-shadow: inset 0 1px var(--edge), inset 0 -1px var(--edge), inset 1px 0 var(--edge); }

.swatches { display: grid; grid-template-columns: repeat(auto-fill, minmax(164px, 1fr)); gap: 16px; }
.swatch, .images li { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.paint { position: relative; height: 108px; padding: 10px 14px; display: flex; align-items: flex-end; box-shadow: inset 0 -1px var(--edge); }
.paint > span:first-child { font-size: 24px; font-weight: 600; letter-spacing: -0.02em; }
.shades { position: absolute; right: 12px; top: 12px; display: flex; padding: 3px; border-radius: 99px; background: var(--surface); }
.shades i { width: 14px; height: 14px; border-radius: 50%; box-shadow: inset 0 0 0 1px var(--edge); }
.shades i + i { margin-left: -5px; }
.label { padding: 12px 14px 14px; display: grid; gap: 4px; }
.label .meter { margin: 5px 0 3px; }
.value { display: flex; justify-content: space-between; align-items: baseline; }
.label strong { overflow-wrap: anywhere; }
.label small { line-height: 1.35; }
.chips { display: flex; flex-wrap: wrap; gap: 8px; }
.chips li { display: flex; align-items: center; gap: 8px; padding: 5px 12px 5px 6px; border: 1px solid var(--line); border-radius: 99px; background: var(--surface); font-size: 13px; }
.chips i { width: 20px; height: 20px; border-radius: 50%; box-shadow: inset 0 0 0 1px var(--edge); }
.chips b { font-weight: 550; }

.merges { display: grid; gap: 12px; }
.merges li { display: grid; grid-template-columns: 1fr auto 190px; gap: 24px; align-items: center; padding: 16px 20px; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; }
.merges i { display: block; border-radius: 8px; box-shadow: inset 0 0 0 1px var(--edge); }
.from { display: grid; gap: 10px; }
.from div { display: grid; grid-template-columns: 40px 76px 84px 1fr; gap: 12px; align-items: center; font-size: 14px; }
.from i { width: 40px; height: 28px; }
.from span { color: var(--fg-2); font-variant-numeric: tabular-nums; }
.into { display: grid; grid-template-columns: 56px 1fr; column-gap: 14px; align-items: center; }
.into i { width: 56px; height: 56px; grid-row: 1 / 3; }
.into strong { align-self: end; } .into code { align-self: start; }
.arrow { color: var(--fg-3); font-size: 18px; }

table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
th { text-align: left; font-size: 12px; font-weight: 550; color: var(--fg-3); padding: 12px 16px; }
td { padding: 10px 16px; border-top: 1px solid var(--line); vertical-align: middle; }
td small { display: block; }
.sample { display: inline-block; min-width: 104px; padding: 6px 14px; border-radius: 8px; line-height: 1.3; font-weight: 500; text-align: center; box-shadow: inset 0 0 0 1px var(--edge); }
.verdict { display: inline-block; padding: 2px 10px; border-radius: 99px; font-size: 13px; font-weight: 550; white-space: nowrap; }
.pass { color: var(--pass); background: var(--pass-bg); }
.fail { color: var(--fail); background: var(--fail-bg); }
.dot { display: inline-block; width: 14px; height: 14px; border-radius: 4px; vertical-align: -2px; box-shadow: inset 0 0 0 1px var(--edge); }

.conflicts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 12px; }
.conflicts li { display: grid; grid-template-columns: auto auto auto 1fr; gap: 14px; align-items: center; padding: 12px 16px; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; }
.conflicts small { display: block; }
.pair { display: flex; border-radius: 8px; overflow: hidden; box-shadow: 0 0 0 1px var(--edge); }
.pair i { width: 30px; height: 40px; }

.lengths { display: grid; gap: 10px; }
.lengths li { display: grid; grid-template-columns: 150px 1fr auto; gap: 16px; align-items: center; }
.lengths code { margin-left: 6px; }
.rule { height: 28px; border-radius: 4px; background: repeating-linear-gradient(90deg, var(--line) 0 1px, transparent 1px var(--cell)); }
.rule i { display: block; max-width: 100%; height: 100%; border-radius: 4px; background: var(--fill); }
.radii { display: grid; grid-template-columns: repeat(auto-fill, minmax(164px, 1fr)); gap: 16px; }
.radii li { display: grid; grid-template-columns: 1fr auto; gap: 4px 8px; padding: 16px; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; }
.radii li > i { grid-column: 1 / 3; height: 84px; margin: 0 -16px 10px 8px; border: solid var(--fill); border-width: 2px 0 0 2px; background: linear-gradient(135deg, var(--bar), transparent 75%); }
.radii .meter, .radii small { grid-column: 1 / 3; }
.texts { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 8px 24px; }
.texts li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 24px; align-items: center; padding: 14px 0; }
.texts li > :last-child { text-align: right; }
.texts li + li { border-top: 1px solid var(--line); }
.texts code { margin-left: 6px; }
.texts small { display: block; }
.specimen { line-height: 1.15; font-weight: 550; letter-spacing: -0.015em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }

.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(232px, 1fr)); gap: 16px; }
.frame { height: 188px; padding: 16px; display: grid; place-items: center; border-bottom: 1px solid var(--line); background: conic-gradient(var(--bar) 25%, var(--surface) 0 50%, var(--bar) 0 75%, var(--surface) 0) 0 0 / 16px 16px; }
.frame img { max-width: 100%; max-height: 156px; display: block; box-shadow: 0 1px 3px rgb(0 0 0 / 0.22); border-radius: 3px; }
.dots { display: flex; flex-wrap: wrap; gap: 4px; margin: 6px 0 2px; }
.dots i { width: 16px; height: 16px; border-radius: 4px; box-shadow: inset 0 0 0 1px var(--edge); }
.errors { display: grid; gap: 10px; }
.errors li { display: grid; grid-template-columns: auto 220px 1fr; gap: 16px; align-items: baseline; padding: 14px 18px; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; overflow-wrap: anywhere; }
.errors small { display: block; }

@media (max-width: 860px) {
  main { padding: 36px 18px 64px; }
  main > section { margin-top: 48px; }
  header { display: block; }
  .scores { margin-top: 24px; }
  .scores dl { flex: 1; width: auto; }
  .merges li { grid-template-columns: 1fr; gap: 12px; }
  .arrow { display: none; }
  .conflicts .arrow { display: inline; }
  .errors li { grid-template-columns: 1fr; gap: 6px; justify-items: start; }
}
@media (max-width: 620px) {
  .ribbon { height: 60px; }
  .swatches, .radii { grid-template-columns: repeat(2, 1fr); gap: 12px; }
  .images { grid-template-columns: 1fr; }
  .ring { width: 92px; height: 92px; }
  .scores { gap: 16px; }
  .scores dl div { grid-template-columns: 92px 1fr 24px; gap: 8px; }
  .from div { grid-template-columns: 40px 72px 1fr; } .from small { grid-column: 1 / 4; }
  .lengths li { grid-template-columns: 1fr; gap: 4px; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: auto 1fr; gap: 6px 14px; padding: 14px 16px; border-top: 1px solid var(--line); }
  tr:first-child { border-top: 0; }
  td { padding: 0; border: 0; }
  td:nth-child(-n+2) { grid-column: 1 / 3; }
  td[data-label] { grid-column: 1 / 3; display: grid; grid-template-columns: 64px 1fr; align-items: center; justify-items: start; }
  td[data-label]::before { content: attr(data-label); font-size: 12px; color: var(--fg-3); }
}
@media print {
  body { background: #ffffff; }
  .swatch, .merges li, .images li, tr { break-inside: avoid; }
  i, .paint, .sample { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
