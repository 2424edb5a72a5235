// "Talk to me" in Chromium against the real programs: sign in by the printed link, speak, be answered, hang up.
// AICALL_DIR: the folder with aicall and aicall-worker; fails when they are not there. FLOWS_DIR: other flows. TALK_WAV: other words.
// In English by default: nothing is rendered yet, and the English voice is ten times as fast. TALK_LANGUAGE=zh speaks Chinese.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, openBrowser, picture, ROOT, runAll, until } from './browser.mjs';

const programs = process.env.AICALL_DIR ?? join(ROOT, 'build', 'release');
if (!existsSync(join(programs, 'aicall'))) throw new Error(`${programs} has no aicall: run make build`);
const folder = mkdtempSync(join(tmpdir(), 'aicall-talk-'));
const LOG = join(folder, 'aicall.log');
const READY_SECONDS = 180; // the recogniser loads its model
const WORDS_SECONDS = 60;
const language = process.env.TALK_LANGUAGE ?? 'en';
const words = { zh: '是的，我是，请你讲。', en: 'Yes, this is me speaking.' }[language];
check(words, `TALK_LANGUAGE is zh or en, not ${language}`);

/** `aicall serve` on a free port with a data folder of its own. */
async function serve() {
  const env = {
    ...process.env, AICALL_SERVER__DATA_DIR: folder, AICALL_SERVER__PORT: '0', AICALL_LOG__FILE: LOG,
    AICALL_SERVER__WEB_DIR: join(ROOT, 'web', 'dist'), AICALL_DIALOGUE__FLOWS_DIR: process.env.FLOWS_DIR ?? join(ROOT, 'flows'), AICALL_SPEECH__RENDER_FIRST: language,
  };
  const child = spawn(join(programs, 'aicall'), ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (piece) => (said += piece));
  child.stderr.on('data', (piece) => (said += piece));
  const exited = new Promise((resolve) => child.on('exit', resolve));
  await until('the one-time link', () => /link\): (\S+)/.test(said) || child.exitCode !== null, 60);
  const link = /link\): (\S+)/.exec(said)?.[1];
  check(link, `aicall serve did not start:\n${said}`);
  const base = new URL(link).origin;
  await until(`readyz\n${said}`, async () => (await fetch(`${base}/readyz`)).ok, READY_SECONDS);
  return {
    link, base,
    async stop() {
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(hard);
    },
  };
}

/** TALK_WAV, or words that our own voice says. */
function microphone() {
  const wav = process.env.TALK_WAV ?? join(folder, 'microphone.wav');
  return existsSync(wav) ? wav : sayWords(wav);
}

async function sayWords(wav) {
  const child = spawn(join(programs, 'aicall'), ['speech', 'say', '--lang', language, words, '-o', wav], { env: { ...process.env, AICALL_SERVER__DATA_DIR: join(folder, 'say') }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (piece) => (said += piece));
  const code = await new Promise((resolve) => child.on('exit', resolve));
  check(code === 0, `aicall speech say: ${said}`);
  return withPauses(wav);
}

/** Chromium plays the file over and over: six seconds of silence make turns of it. */
async function withPauses(path) {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('data', 12);
  const rate = bytes.readUInt32LE(24);
  const silence = Buffer.alloc(rate * 2 * 6);
  const speech = bytes.subarray(at + 8);
  const header = Buffer.from(bytes.subarray(0, at + 8));
  header.writeUInt32LE(silence.length + speech.length, at + 4);
  header.writeUInt32LE(at + silence.length + speech.length, 4);
  writeFileSync(path, Buffer.concat([header, silence, speech]));
  return path;
}

let page;
let server;
let browser;
let callId;
const problems = [];
const seen = async (selector) => (await page.locator(selector).count()) > 0;

async function signIn() {
  server = await serve();
  browser = await openBrowser(await microphone());
  page = await browser.context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(server.link);
  await page.waitForSelector('header nav a');
  await page.click('a[href="/talk"]');
  await page.waitForSelector('.talk .primary:not(:disabled)');
  await page.locator('.talk .choice label').nth(language === 'zh' ? 0 : 1).click();
}

async function talk() {
  await page.click('.talk .primary');
  await until('the call to start', async () => (await seen('[data-phase="talking"]')) || (await seen('[data-fault]')), 30);
  if (await seen('[data-fault]')) throw new Error(`refused: ${await page.innerText('[data-fault]')}`);
  await until("the bot's audio", async () => Number(await page.getAttribute('.phase', 'data-frames')) > 50, 30);
  await until('the bot to be audible', async () => Number(await page.getAttribute('.meter.bot', 'aria-valuenow')) > 20, 30);
}

async function transcript() {
  await until('a turn of the bot', () => seen('.turn.bot:not(.partial)'), WORDS_SECONDS);
  await until('a turn of the customer', () => seen('.turn.customer:not(.partial)'), WORDS_SECONDS);
  check((await page.locator('.turn.customer:not(.partial) .text').first().innerText()).trim() !== '', 'the customer said something');
  await picture(page, 'e2e-talking');
}

async function hangUp() {
  if (await seen('.talk .danger')) await page.click('.talk .danger');
  await page.waitForSelector('[data-phase="ended"]');
  callId = (await page.getAttribute('.beside .button', 'href')).split('/').at(-1);
  let call;
  await until('the call to be over', async () => {
    call = await page.evaluate(async (id) => (await fetch(`/api/v1/calls/${id}`)).json(), callId);
    return call.state === 'completed' || call.state === 'failed';
  }, 20);
  check(call.direction === 'browser' && call.state === 'completed', `it ended as ${call.state} (${call.outcome})`);
}

async function replay() {
  await until('the recording', () => page.evaluate(async (id) => (await (await fetch(`/api/v1/calls/${id}`)).json()).has_recording, callId), 20);
  await page.click('.beside .button');
  await page.waitForSelector('.player canvas');
  await page.click('.player button');
  await until('it to play', async () => !(await page.innerText('.player .clock')).startsWith('0:00'), 10);
  await picture(page, 'e2e-detail');
}

await runAll([
  ['sign in by the one-time link', signIn],
  ['talk: the bot is heard', talk],
  ['both sides are in the transcript', transcript],
  ['hanging up ends the call', hangUp],
  ['the recording plays', replay],
  ['no error and no breach of the policy in the console', async () => check(problems.length === 0, problems.join('\n'))],
]);
await browser?.close();
await server?.stop();
if (process.exitCode && existsSync(LOG)) console.log(readFileSync(LOG, 'utf8').split('\n').slice(-25).join('\n'));
if (process.exitCode) console.log(readdirSync(folder).join(' '));
rmSync(folder, { recursive: true, force: true });
