// What the two browser tests share: Debian's Chromium, a fake microphone, pictures, and a test runner of twenty lines.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(join(ROOT, 'web', 'package.json'));
export const { chromium } = require('playwright-core');
export const { WebSocketServer } = require('ws');
const PICTURES = join(ROOT, 'build', 'browser');

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];

/** A browser whose microphone plays `wav` over and over; `wav` null: a microphone that is refused. */
export async function openBrowser(wav) {
  const folder = mkdtempSync(join(tmpdir(), 'aicall-browser-'));
  const fake = wav
    ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${wav}`]
    : [];
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [...FLAGS, ...fake],
    viewport: { width: 1360, height: 860 }, locale: 'zh-CN', ...(wav && { permissions: ['microphone'] }),
  });
  context.setDefaultTimeout(15_000);
  return {
    context,
    async close() {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/** Two channels of tones where somebody speaks, 8 kHz. `spans`: [channel, from ms, to ms]. */
export function makeWav(path, seconds, channels, spans) {
  const frames = Math.round(seconds * 8000);
  const bytes = Buffer.alloc(44 + frames * channels * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(16000 * channels, 28);
  bytes.writeUInt16LE(2 * channels, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(frames * channels * 2, 40);
  for (const [channel, from, to] of spans) {
    for (let i = Math.round(from * 8); i < Math.min(frames, Math.round(to * 8)); ++i) {
      const syllable = Math.max(0, Math.sin((2 * Math.PI * 3.5 * i) / 8000));
      const sample = Math.sin((2 * Math.PI * (channel ? 210 : 140) * i) / 8000) * syllable * (0.35 + 0.2 * Math.sin(i / 2900));
      bytes.writeInt16LE(Math.round(sample * 24000), 44 + 2 * (i * channels + channel));
    }
  }
  if (path) writeFileSync(path, bytes);
  return bytes;
}

export async function until(what, condition, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Runs every test, names each; the process fails when one did. */
export async function runAll(tests) {
  let failed = 0;
  for (const [name, run] of tests) {
    try {
      await run();
      console.log(`ok    ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAIL  ${name}\n      ${error?.stack ?? error}`);
    }
  }
  console.log(`${tests.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
