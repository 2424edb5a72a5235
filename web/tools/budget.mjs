// Fails when what the first page loads (HTML, its scripts and styles, the Chinese texts) passes 80,000 bytes of gzip.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 80_000;
const dist = new URL('../dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');
const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]);
const texts = readdirSync(new URL('assets/', dist)).filter((name) => /^zh-.*\.js$/.test(name));
if (texts.length !== 1) throw new Error(`expected one file of Chinese texts, found ${texts.length}`);
if (/<script(?![^>]*\bsrc=)/.test(html)) throw new Error('index.html has an inline script; the policy would stop it');
const files = ['index.html', ...first, `assets/${texts[0]}`];
let total = 0;
for (const file of files) {
  const bytes = gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
  total += bytes;
  console.log(`${String(bytes).padStart(7)}  ${file}`);
}
console.log(`${String(total).padStart(7)}  first load, gzip (limit ${LIMIT})`);
if (total > LIMIT) {
  console.error(`first load is ${total - LIMIT} bytes over the limit: load more of it lazily`);
  process.exit(1);
}
