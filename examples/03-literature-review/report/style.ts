// The look of `report.html`: quiet surfaces, one colour for evidence, and a word beside every colour that
// means something. Light and dark follow the reader's system; narrow windows stack what stood side by side.

/** The style sheet, as text. */
export const STYLE = `
:root {
  --bg: #f6f7f9; --surface: #ffffff; --line: #dfe3e8; --fg: #11161d; --fg-2: #4a5563; --fg-3: #5f6979;
  --bar: #e6e9ee; --fill: #11161d; --heat: #0b5f6b; --on-heat: #ffffff; --mark: #d5eef0;
  --pass: #14653f; --pass-bg: #dff3e8; --fail: #a30d0d; --fail-bg: #fbe3e1;
  --critical: #a30d0d; --critical-bg: #fbe0dd; --high: #944000; --high-bg: #fde6d0;
  --medium: #745100; --medium-bg: #fbefc6; --low: #4d5a08; --low-bg: #eef3c9;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0b0f14; --surface: #12181f; --line: #232b35; --fg: #e7ecf2; --fg-2: #a9b4c1; --fg-3: #8591a0;
    --bar: #232b35; --fill: #e7ecf2; --heat: #58c4d0; --on-heat: #06181b; --mark: #123c42;
    --pass: #7fdcae; --pass-bg: #10301f; --fail: #ff9d93; --fail-bg: #3a1412;
    --critical: #ff9d93; --critical-bg: #451512; --high: #ffb27a; --high-bg: #3d2109;
    --medium: #f0cd6b; --medium-bg: #352a08; --low: #cfdc7c; --low-bg: #262b0c;
  }
}
* { box-sizing: border-box; margin: 0; padding: 0; }
html { scroll-padding-top: 24px; }
body {
  background: var(--bg); color: var(--fg);
  font: 15px/1.5 Inter, ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  -webkit-text-size-adjust: 100%; font-variant-ligatures: no-contextual;
}
main { max-width: 1160px; margin: 0 auto; padding: 56px 32px 96px; }
ul, ol { list-style: none; }
a { color: inherit; text-decoration: none; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--heat); outline-offset: 2px; }
small { font-size: 13px; color: var(--fg-3); }
strong { font-weight: 600; }
h1 { font-size: clamp(32px, 5vw, 46px); line-height: 1.1; letter-spacing: -0.025em; font-weight: 700; overflow-wrap: anywhere; max-width: 18em; }
h2 { font-size: 22px; line-height: 1.25; letter-spacing: -0.012em; font-weight: 650; }
h3 { font-size: 17px; line-height: 1.35; letter-spacing: -0.006em; font-weight: 620; }
.over { font-size: 12px; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase; color: var(--fg-3); margin-bottom: 10px; }
.lead { font-size: 17px; color: var(--fg-2); margin: 14px 0 16px; max-width: 36em; }
.hint { color: var(--fg-3); margin-top: 4px; max-width: 52em; }
.none { color: var(--fg-3); }
.number { font-variant-numeric: tabular-nums; }
.id { font-variant-numeric: tabular-nums; font-weight: 600; color: var(--fg-3); font-size: 13px; }
main > section { margin-top: 64px; }
main > section > h2 + :not(.hint), .hint + * { margin-top: 20px; }

header { display: flex; gap: 48px; align-items: center; justify-content: space-between; }
.tally { display: flex; flex-wrap: wrap; gap: 8px 18px; font-variant-numeric: tabular-nums; font-weight: 600; }
.ring { width: 148px; height: 148px; flex: none; }
.ring circle { fill: none; stroke: var(--bar); stroke-width: 9; }
.ring .value { stroke: var(--heat); stroke-linecap: round; transform: rotate(-90deg); transform-origin: 50% 50%; }
.ring text { fill: var(--fg); font-size: 34px; font-weight: 680; text-anchor: middle; letter-spacing: -0.02em; }
.ring .unit { font-size: 12px; font-weight: 450; fill: var(--fg-3); letter-spacing: 0; }
.meter { display: block; height: 4px; border-radius: 2px; background: var(--bar); overflow: hidden; }
.meter i { display: block; height: 100%; border-radius: 2px; background: var(--heat); }
.severity, .verdict, .tier { display: inline-block; padding: 2px 10px; border-radius: 99px; font-size: 13px; font-weight: 550; white-space: nowrap; }
.critical { color: var(--critical); background: var(--critical-bg); }
.high { color: var(--high); background: var(--high-bg); }
.medium { color: var(--medium); background: var(--medium-bg); }
.low { color: var(--low); background: var(--low-bg); }
.severity.none, .pass, .tier.strong { color: var(--pass); background: var(--pass-bg); }
.fail, .tier.weak { color: var(--fail); background: var(--fail-bg); }
.skip { color: var(--fg-2); background: var(--bar); }
.tier.sound { color: var(--low); background: var(--low-bg); }
.tier.thin { color: var(--medium); background: var(--medium-bg); }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 16px; }
.card, .unread li, .gaps, .versions, article { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; }
.card { padding: 20px 22px 22px; }
.card .value { display: flex; align-items: center; justify-content: space-between; }
.score { font-size: 44px; line-height: 1.1; font-weight: 680; letter-spacing: -0.03em; }
.scale { position: relative; height: 8px; border-radius: 4px; background: var(--bar); margin: 12px 0 18px; overflow: hidden; }
.scale i { display: block; height: 100%; background: var(--heat); }
.scale b { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--surface); }
.scale b:nth-of-type(1) { left: 40%; } .scale b:nth-of-type(2) { left: 60%; } .scale b:nth-of-type(3) { left: 80%; }
.card dl { display: grid; gap: 5px; font-size: 13px; color: var(--fg-2); }
.card dl div { display: grid; grid-template-columns: 100px 1fr 28px; gap: 10px; align-items: center; }
.card dd.number { text-align: right; color: var(--fg); }

.wide { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; }
.heat { width: 100%; min-width: 900px; table-layout: fixed; border-collapse: separate; border-spacing: 0; font-size: 14px; }
.heat thead th:first-child { width: 226px; } .heat thead th:last-child { width: 262px; }
.heat th { text-align: left; font-weight: 450; padding: 4px 12px 4px 18px; white-space: nowrap; }
.heat thead th { font-size: 12px; font-weight: 550; color: var(--fg-3); padding-top: 14px; padding-bottom: 10px; vertical-align: bottom; }
.heat thead .paper { text-align: center; padding-left: 2px; padding-right: 2px; white-space: normal; line-height: 1.25; overflow-wrap: anywhere; }
.heat thead th:last-child { padding-left: 14px; }
.heat thead a:hover { color: var(--fg); text-decoration: underline; }
.heat td { padding: 2px; }
.heat td:last-child { padding: 2px 18px 2px 14px; white-space: nowrap; }
.heat .pillar th, .heat .pillar td { border-top: 1px solid var(--line); padding-top: 12px; padding-bottom: 6px; }
.heat .pillar th { font-weight: 620; font-size: 15px; }
.heat tbody tr:last-child > * { padding-bottom: 12px; }
.heat .id { display: inline-block; min-width: 26px; }
.cell a { display: grid; place-items: center; height: 32px; border-radius: 6px; font-variant-numeric: tabular-nums; font-weight: 600; font-size: 13px; }
.full-cell { background: color-mix(in srgb, var(--heat) var(--shade), var(--surface)); }
.full-cell.dark { color: var(--on-heat); } .full-cell.pale { color: var(--fg); }
.full-cell:hover, .ring-cell:hover { box-shadow: 0 0 0 2px var(--fg-3); }
.cell:empty::before { content: ""; display: block; height: 32px; border-radius: 6px; background: var(--bg); }
.ring-cell { background: var(--bg); }
.ring-cell::before { content: ""; width: 9px; height: 9px; border-radius: 50%; border: 1.5px solid var(--fg-3); }
.complete { display: inline-grid; grid-template-columns: 84px 44px; gap: 10px; align-items: center; vertical-align: middle; margin-right: 8px; }
.complete .number { text-align: right; }

.gaps li { display: grid; grid-template-columns: 84px 48px 1fr auto; gap: 16px; align-items: center; padding: 12px 20px; }
.gaps li + li { border-top: 1px solid var(--line); }
.gaps .severity { justify-self: start; }
.gaps .number { text-align: right; font-weight: 600; }
.gaps div span:not(.id) { color: var(--fg-2); display: block; }

.matrix { display: grid; grid-template-columns: 230px 1fr; gap: 24px; }
.axis { font-size: 13px; color: var(--fg-3); text-align: center; }
.nothing { display: flex; flex-direction: column-reverse; gap: 8px; }
.nothing > div { flex: 1; background: var(--critical-bg); border-radius: 12px; padding: 14px; }
.grid { display: grid; grid-template-columns: 44px repeat(3, 1fr); grid-auto-rows: minmax(84px, auto); gap: 8px; }
.grid > .axis { align-self: center; } .grid > p:nth-last-child(-n+4) { align-self: start; }
.grid > div { background: color-mix(in srgb, var(--heat) var(--tint, 4%), var(--surface)); border: 1px solid var(--line); border-radius: 12px; padding: 12px; }
.grid { grid-template-rows: repeat(3, minmax(84px, auto)) auto; }
.few-good, .some-fair { --tint: 8%; } .few-high, .some-good, .many-fair { --tint: 13%; } .some-high, .many-good { --tint: 19%; } .many-high { --tint: 26%; }
.chip { display: grid; grid-template-columns: 26px 1fr; font-size: 14px; line-height: 1.5; } .chip b { font-weight: 600; font-variant-numeric: tabular-nums; }

article { padding: 22px 24px; }
article + article { margin-top: 20px; }
article:target, li:target { box-shadow: 0 0 0 2px var(--heat); }
.facts { font-size: 13px; color: var(--fg-3); margin-top: 2px; }
.strip { display: flex; gap: 2px; margin: 14px 0 8px; }
.strip i { flex: 1; max-width: 28px; height: 14px; border-radius: 2px; background: color-mix(in srgb, var(--heat) var(--shade), var(--bar)); }
.claims li { display: grid; grid-template-columns: 84px 1fr 76px 112px; gap: 18px; align-items: start; padding: 12px 8px; border-radius: 8px; }
.claims li + li { border-top: 1px solid var(--line); }
.where { display: flex; justify-content: space-between; gap: 8px; align-items: baseline; font-variant-numeric: tabular-nums; }
.where b { font-weight: 600; white-space: nowrap; }
.said { overflow-wrap: anywhere; } .said small { display: block; margin-top: 2px; }
mark { background: var(--mark); color: inherit; border-radius: 3px; padding: 0 2px; margin: 0 -2px; }
.bars { display: flex; gap: 4px; align-items: flex-end; height: 30px; padding-top: 4px; }
.bars i { flex: 1; height: 100%; border-radius: 2px; background: linear-gradient(to top, var(--heat) var(--share), var(--bar) var(--share)); }
.judged { text-align: right; font-variant-numeric: tabular-nums; } .judged small { display: block; margin-top: 3px; }
details { margin-top: 8px; border-top: 1px solid var(--line); padding-top: 12px; }
summary { cursor: pointer; font-size: 14px; font-weight: 550; color: var(--fg-2); }
summary:hover { color: var(--fg); }
details .claims { margin-top: 8px; } details .said p { color: var(--fg-2); } details .bars i { --heat: var(--fg-3); }

.unread { display: grid; gap: 10px; }
.unread li { display: grid; grid-template-columns: 92px 180px 1fr; gap: 16px; align-items: baseline; padding: 14px 18px; overflow-wrap: anywhere; }
.versions li { display: flex; gap: 16px; padding: 10px 20px; } .versions li + li { border-top: 1px solid var(--line); }
.versions span { color: var(--fg-2); }

@media (max-width: 860px) {
  main { padding: 36px 18px 64px; }
  main > section { margin-top: 48px; }
  header { flex-wrap: wrap; gap: 24px; }
  .matrix { grid-template-columns: 1fr; } .grid { grid-template-columns: 40px repeat(3, minmax(0, 1fr)); }
  .grid > div { padding: 8px; } .chip { font-size: 13px; overflow-wrap: anywhere; }
  .gaps li { grid-template-columns: auto auto 1fr; padding: 12px 16px; } .gaps div { grid-column: 1 / 4; } .gaps small { grid-row: 1; grid-column: 3; text-align: right; }
  article { padding: 18px 16px; }
  .claims li { grid-template-columns: 1fr auto auto; gap: 8px 14px; padding: 14px 4px; }
  .where { justify-content: start; gap: 12px; align-self: center; } .bars { width: 64px; grid-row: 1; grid-column: 2; } .judged { grid-row: 1; grid-column: 3; }
  .judged small { display: none; } .said { grid-column: 1 / 4; }
  .unread li { grid-template-columns: 1fr; gap: 6px; justify-items: start; }
}
@media print {
  body { background: #ffffff; }
  tr, .card, .claims li, .gaps li { break-inside: avoid; }
  i, .cell a, .grid > div, .severity, .verdict, .tier { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
