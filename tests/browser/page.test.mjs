// The page in Chromium against a double of the server: every screen, both languages, with pictures in build/browser.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, makeWav, openBrowser, picture, runAll, until } from './browser.mjs';
import { DONE_ID, LIVE_ID, startDouble, TURNS } from './double.mjs';

const folder = mkdtempSync(join(tmpdir(), 'aicall-page-'));
const wav = join(folder, 'microphone.wav');
makeWav(wav, 4, 1, [[0, 0, 4000]]);
const server = await startDouble();
const browser = await openBrowser(wav);
const complaints = [];

async function open(path, { language = 'zh', theme = 'light', width = 1360 } = {}) {
  const page = await browser.context.newPage();
  await page.setViewportSize({ width, height: 860 });
  page.on('pageerror', (error) => complaints.push(`${path}: ${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4(01|22|29)|WebSocket connection/.test(message.text())) complaints.push(`${path}: ${message.text()}`);
  });
  await page.addInitScript(([l, t]) => {
    localStorage.setItem('aicall.language', l);
    localStorage.setItem('aicall.theme', t);
  }, [language, theme]);
  await page.goto(server.url + path);
  await page.waitForSelector('main');
  return page;
}
const text = (page, selector) => page.locator(selector).allInnerTexts();

async function liveCall() {
  const page = await open(`/calls/${LIVE_ID}`);
  await page.waitForSelector('.turn.customer');
  await until('the live feed', () => server.state.listeners.size > 0);
  server.tell({ type: 'partial', call_id: LIVE_ID, speaker: 'customer', text: '哎等一下，明天', at_ms: 11900 });
  const watching = () => [...server.state.watched.values()];
  await until('the page to ask for the levels of this call', () => watching().includes(LIVE_ID));
  server.tell({ type: 'level', call_id: LIVE_ID, customer_dbov: -20, bot_dbov: -96 });
  await page.waitForSelector('.turn.partial');
  check((await text(page, '.partial .text'))[0] === '哎等一下，明天', 'the partial is shown');
  const loud = (side) => page.getAttribute(`.meter.${side}`, 'aria-valuenow').then(Number);
  await until('both meters', async () => (await loud('customer')) > 60 && (await loud('bot')) === 0);
  await picture(page, 'live-zh');
  server.state.turns[LIVE_ID] = TURNS.slice(0, 4);
  server.tell({ type: 'turn', call_id: LIVE_ID, turn: TURNS[2] });
  server.tell({ type: 'turn', call_id: LIVE_ID, turn: TURNS[3] });
  await page.waitForSelector('[data-seq="4"]');
  check((await page.locator('.turn.partial').count()) === 0, 'the partial is withdrawn when its turn comes');
  check((await text(page, '[data-seq="3"] del'))[0].includes('请问您能按时到吗'), 'what was not spoken is struck through');
  check((await page.locator('[data-seq="3"] .badge.cut').count()) === 1, 'the barge-in is marked');
  check((await page.locator('[data-seq="3"] .bar .spans span').count()) >= 3, 'the answer has a stage bar');
  await page.click('header.top nav a[href="/talk"]');
  await until('the page to cease watching', () => watching().every((call) => call === null));
  await page.close();
}

async function comesBack() {
  const page = await open('/');
  await page.waitForSelector('.list a');
  await until('the live feed', () => server.state.listeners.size > 0);
  server.dropListeners();
  await until('it to come back by itself', () => server.state.listeners.size > 0);
  const before = server.state.calls[0];
  server.state.calls[0] = { ...before, state: 'ringing' };
  server.tell({ type: 'call', call: server.state.calls[0] });
  await page.waitForSelector('.badge.ringing');
  await picture(page, 'calls-zh');
  server.state.calls[0] = before;
  await page.close();
}

async function hangUp() {
  const page = await open(`/calls/${LIVE_ID}`);
  await page.click('.callhead .danger');
  check(server.state.hungUp.length === 0, 'one click does not hang up');
  await page.click('.callhead .danger.sure');
  await until('DELETE', () => server.state.hungUp.includes(LIVE_ID));
  await page.close();
}

async function replay() {
  for (const [language, theme] of [['zh', 'light'], ['en', 'light'], ['zh', 'dark']]) {
    const page = await open(`/calls/${DONE_ID}`, { language, theme });
    await page.waitForSelector('.player canvas');
    await page.waitForTimeout(200);
    const inked = await page.$eval('.wave canvas', (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v > 0));
    check(inked, 'the waveform is drawn');
    await page.click('[data-seq="5"] button.time');
    await page.waitForSelector('[data-seq="5"].playing');
    check((await text(page, '.clock'))[0].startsWith('0:1'), 'playing starts at the turn');
    await page.click('.player button');
    await page.click('[data-seq="5"] .text');
    await page.waitForSelector('[data-seq="5"].playing');
    await page.waitForSelector('[data-seq="7"].playing', { timeout: 30_000 }); // it follows along
    check((await page.locator('.turn.playing').count()) === 1, 'one turn is spoken at a time');
    await page.click('.player button');
    await page.click('.legend summary');
    check((await text(page, '.legend p'))[0].length > 40, 'the bars are explained');
    const facts = await page.innerText('.facts');
    check(!/_|goodbye was said|new time|appointment reminder/.test(language === 'zh' ? facts : ''), `untranslated: ${facts}`);
    await page.click('[data-seq="5"] summary');
    await picture(page, `detail-${language}-${theme}`);
    await page.close();
  }
}

async function newCall() {
  const page = await open('/new');
  await page.click('form .primary');
  check((await text(page, '.error'))[0].length > 3, 'an empty number is refused here');
  await page.fill('[name="to"]', 'sip:1001@127.0.0.1:5070');
  await page.click('form .primary');
  await page.waitForSelector('[id="variables.appointment_time-error"]');
  check((await text(page, 'form .fault'))[0].includes('window'), 'an error without an input is shown above');
  await picture(page, 'new-errors-zh');
  await page.click('form .primary');
  await until('the second try', () => server.state.posted.length === 2);
  check(server.state.posted[0].key === server.state.posted[1].key, 'the same form keeps its idempotency key');
  await page.fill('[name="variables.appointment_time"]', '2026-11-25T15:30');
  await page.click('form .primary:not(:disabled)');
  await page.waitForURL(`**/calls/${LIVE_ID}`);
  const last = server.state.posted.at(-1);
  check(last.key !== server.state.posted[0].key, 'another call has another key');
  check(last.variables.appointment_time === '2026-11-25T15:30' && last.flow === 'appointment_reminder', 'the fields arrive');
  await page.close();
}

async function talk() {
  const page = await open('/talk');
  await page.waitForSelector('.talk .primary:not(:disabled)');
  await picture(page, 'talk-zh');
  await page.click('.talk .primary');
  await page.waitForSelector('[data-phase="talking"]');
  await until('frames from the microphone', () => server.state.talk.frames > 50 && server.state.talk.heard);
  check(server.state.talk.wrong === undefined, `every frame has 320 bytes, one had ${server.state.talk.wrong}`);
  await until("the bot's frames", async () => Number(await page.getAttribute('.phase', 'data-frames')) > 20);
  await until("the bot's level", async () => Number(await page.getAttribute('.meter.bot', 'aria-valuenow')) > 40);
  await page.keyboard.press('5');
  await until('a key', () => server.state.talk.controls.some((c) => c.type === 'dtmf' && c.digit === '5'));
  await page.waitForSelector('.beside .turn.customer');
  await picture(page, 'talking-zh');
  await page.click('.talk .danger');
  await until('the hang-up', () => server.state.talk.open === 0);
  check(server.state.talk.controls.some((c) => c.type === 'hang_up'), 'the hang-up is said, not only the socket closed');
  await page.waitForSelector('[data-phase="ended"]');
  check((await page.locator('[data-fault]').count()) === 0, 'a hang-up is no fault');
  await page.close();
}

async function refusals() {
  server.state.active = 4;
  const page = await open('/talk', { language: 'en' });
  await page.waitForSelector('.talk .primary:not(:disabled)');
  await page.click('.talk .primary');
  await page.waitForSelector('[data-fault="lines_busy"]');
  await picture(page, 'talk-busy-en');
  server.state.active = 1;
  await page.close();
  const refused = await openBrowser(null);
  const other = await refused.context.newPage();
  await other.goto(`${server.url}/talk`);
  await other.waitForSelector('.talk .primary:not(:disabled)');
  await other.click('.talk .primary');
  await other.waitForSelector('[data-fault="mic_denied"], [data-fault="mic_missing"]');
  const said = (await other.innerText('.phase')) + (await other.innerText('.talk .primary'));
  check(said === '没有接通重试', `no call took place, and the page says so: ${said}`);
  await picture(other, 'talk-refused-zh');
  await refused.close();
}

async function signIn() {
  server.state.signedIn = false;
  const page = await open('/');
  await page.waitForSelector('.signin .command');
  await picture(page, 'signin-zh');
  await page.close();
  server.state.signedIn = true;
}

async function english() {
  for (const [path, name, width] of [['/', 'calls-en', 1360], ['/talk', 'talk-en', 1360], ['/new', 'new-en', 1360], [`/calls/${DONE_ID}`, 'phone-detail-en', 390], ['/talk', 'phone-talk-en', 390]]) {
    const page = await open(path, { language: 'en', width });
    await page.waitForTimeout(400);
    const han = (await page.locator('header.top nav').innerText()) + (await page.locator('h1').first().innerText());
    check(!/\p{Script=Han}/u.test(han), `${path} is in English: ${han}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(wide <= 0, `${path} at ${width} px is ${wide} px too wide`);
    await picture(page, name);
    await page.close();
  }
}

async function empty() {
  const kept = server.state.calls;
  server.state.calls = [];
  const page = await open('/');
  await page.waitForSelector('.empty .primary');
  await picture(page, 'empty-zh');
  server.state.calls = kept;
  await page.close();
}

async function keyboard() {
  const page = await open('/');
  await page.waitForSelector('.list a');
  await page.keyboard.press('Tab');
  check(await page.evaluate(() => document.activeElement?.className === 'skip'), 'the first stop skips the navigation');
  for (let i = 0; i < 20 && !(await page.evaluate(() => document.activeElement?.closest('.list'))); ++i) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/calls\//);
  await page.close();
}

/** Text against what lies behind it, by the formula of WCAG 2; 4.5 for text of this size. */
async function contrast() {
  for (const theme of ['light', 'dark']) {
    for (const path of [`/calls/${DONE_ID}`, '/talk', '/new']) {
      const page = await open(path, { theme });
      await page.waitForTimeout(500);
      const poor = await page.evaluate(() => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const rgba = (colour) => {
          canvas.clearRect(0, 0, 1, 1);
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data];
        };
        const light = ([r, g, b]) => [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = (node) => {
          for (let at = node; at; at = at.parentElement) {
            const colour = rgba(getComputedStyle(at).backgroundColor);
            if (colour[3] > 200) return colour;
          }
          return [255, 255, 255, 255];
        };
        const found = [];
        for (const node of document.querySelectorAll('main *, header *')) {
          if (![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim()) || node.closest('.sr, .skip, :disabled') || !node.checkVisibility()) continue;
          const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < 4.5) found.push(`${node.className || node.tagName} "${node.textContent.trim().slice(0, 20)}" ${ratio.toFixed(2)}`);
        }
        return found;
      });
      check(poor.length === 0, `${path} ${theme}: ${poor.join('; ')}`);
      await page.close();
    }
  }
}

await runAll([
  ['a live call: partials, turns, barge-in, stage bars', liveCall],
  ['the feed comes back by itself', comesBack],
  ['hanging up asks once more', hangUp],
  ['the recording beside the transcript', replay],
  ['a new call: errors beside the fields, one key a form', newCall],
  ['talk: microphone up, bot down, keys, hang-up', talk],
  ['talk: lines busy, microphone refused', refusals],
  ['no session', signIn],
  ['English, and narrow', english],
  ['no calls yet', empty],
  ['by keyboard', keyboard],
  ['contrast', contrast],
  ['no error and no breach of the policy in the console', async () => check(complaints.length === 0, complaints.join('\n'))],
]);
await browser.close();
await server.stop();
rmSync(folder, { recursive: true, force: true });
