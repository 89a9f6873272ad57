import fs from 'node:fs';
import {decodePng} from './image/png-file.ts';
import {extractColors} from './extract/color.ts'; import {extractSpacing} from './extract/spacing.ts'; import {extractShapes} from './extract/shape.ts'; import {extractType} from './extract/type.ts';
import {aggregateReadings} from './tokens/aggregate.ts'; import {validateTokens} from './tokens/validate.ts';
const B='fixtures/brand/'; const rs:any[]=[]; const fsx=fs.readdirSync(B);
for(const f of fsx){const b=decodePng(fs.readFileSync(B+f),f); rs.push({file:f,reading:{kind:'color',colors:extractColors(b)}},{file:f,reading:extractSpacing(b)},{file:f,reading:extractShapes(b)},{file:f,reading:extractType(b)})}
const set=aggregateReadings(rs,{images:fsx.length,errors:[]}); const v=validateTokens(set,{strict:!!process.argv[2]});
for(const t of v.tokens) console.log(t.kind,t.name,t.value,t.confidence.toFixed(2),t.combined.toFixed(2),t.sources.length,(t as any).coverage?.toFixed(4)??'');
for(const c of v.contrast) console.log(c.ink,'on',c.ground,c.sizePx,c.glyphs,c.ratio.toFixed(2),c.aa,c.aaa,c.images.length);
console.log(v.scores,v.faults.length,v.dropped,v.conflicts);
fs.writeFileSync('/tmp/exA/v.json',JSON.stringify(v));
