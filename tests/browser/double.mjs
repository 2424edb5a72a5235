// A double of the server for the page's tests: the routes of openapi.yaml with scripted calls, the real policy headers.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { makeWav, ROOT, WebSocketServer } from './browser.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' blob:; " +
  "connect-src 'self'; worker-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const DIST = join(ROOT, 'web', 'dist');

export const LIVE_ID = '0198f3a0-0000-7000-8000-000000000001';
export const DONE_ID = '0198f3a0-0000-7000-8000-000000000002';
const at = (seconds) => new Date(Date.UTC(2026, 10, 24, 6, 30) + seconds * 1000).toISOString();
const stages = (end_of_turn_ms, asr_ms, voice_ms, gap_ms) => ({
  end_of_turn_ms, asr_ms, understanding_ms: 14, model_ms: 0, voice_ms, first_packet_ms: gap_ms, gap_ms, judged: 'complete',
});
const turn = (seq, speaker, started_ms, ended_ms, text, more = {}) => ({ seq, speaker, text, started_ms, ended_ms, unsaid: null, interrupted_at_ms: null, stages: null, ...more });

export const TURNS = [
  turn(1, 'bot', 200, 4600, '您好，我是云杉口腔的智能语音助手，请问您是王女士吗？'),
  turn(2, 'customer', 5200, 6100, '对，是我。'),
  turn(3, 'bot', 6740, 11200, '您明天下午三点预约了口腔检查，', { unsaid: '请问您能按时到吗？', interrupted_at_ms: 11200, stages: stages(520, 280, 0, 640) }),
  turn(4, 'customer', 10900, 13400, '哎等一下，明天不行，后天下午四点可以吗？'),
  turn(5, 'bot', 14350, 18900, '好的，给您改到十一月二十六日下午四点，对吗？', { stages: stages(560, 330, 310, 950) }),
  turn(6, 'customer', 19600, 20300, '没错。'),
  turn(7, 'bot', 21850, 25400, '改好了，到时候见，再见！', { stages: stages(820, 640, 560, 1550) }),
];

function call(id, more) {
  return {
    id, state: 'completed', direction: 'outbound', to: '********8000', language: 'zh', flow: 'appointment_reminder', subject_id: null,
    outcome: null, disposition: null, sip_status: 200, created_at: at(0), answered_at: at(6), ended_at: null, duration_ms: null,
    has_recording: false, degraded: [], ...more,
  };
}

export function scenes() {
  const done = call(DONE_ID, { outcome: 'completed', disposition: 'rescheduled', ended_at: at(33), duration_ms: 26500, has_recording: true, degraded: ['hearing'], subject_id: 'C-20417' });
  const live = call(LIVE_ID, { state: 'talking', to: '1001@127.0.0.1:5070', created_at: at(120) });
  const more = [['busy', 'failed', null], ['no_answer', 'failed', null], ['completed', 'completed', 'confirmed'], ['completed', 'completed', 'opted_out']].map(([outcome, state, disposition], i) =>
    call(`0198f3a0-0000-7000-8000-0000000001${i}0`, { outcome, state, disposition, to: `********71${i}2`, created_at: at(-3600 * (i + 1)), duration_ms: state === 'failed' ? null : 41000 + i * 7000, direction: i === 3 ? 'browser' : 'outbound' }));
  return { calls: [live, done, ...more], turns: { [DONE_ID]: TURNS, [LIVE_ID]: TURNS.slice(0, 2) } };
}

function detailOf(state, found) {
  const steps = ['queued', 'dialing', 'ringing', 'answered', 'talking', ...(found.state === 'completed' ? ['completed'] : [])];
  return {
    ...found, transitions: steps.map((name, i) => ({ state: name, at: new Date(Date.parse(found.created_at) + [0, 40, 900, 6000, 6010, 32500][i]).toISOString(), reason: name === 'completed' ? 'goodbye was said' : null })),
    turns: state.turns[found.id] ?? [], slots: found.disposition === 'rescheduled' ? { new_time: '2026-11-26T16:00', identity: 'yes' } : {},
    events: found.id === DONE_ID ? [{ type: 'barge_in', at: at(17), data: {} }, { type: 'booked', at: at(25), data: {} }] : [], disclosure_heard: true,
  };
}

const RECORDING = makeWav(null, 26.5, 2, TURNS.map((t) => [t.speaker === 'bot' ? 1 : 0, t.started_ms, t.ended_ms]));
const problem = (response, status, title, errors) => {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail: title, ...(errors && { errors }) }));
};

/** Starts on a free port of 127.0.0.1. `state` may be changed by a test at any time. */
export async function startDouble() {
  const state = { ...scenes(), signedIn: true, active: 1, posted: [], hungUp: [], talk: { frames: 0, controls: [], open: 0 }, listeners: new Set(), watched: new Map() };
  const server = createServer((request, response) => {
    response.setHeader('Content-Security-Policy', POLICY);
    const url = new URL(request.url, 'http://x');
    if (!url.pathname.startsWith('/api/')) return file(response, url.pathname);
    if (!state.signedIn) return problem(response, 401, 'no session');
    let body = '';
    request.on('data', (piece) => (body += piece)).on('end', () => route(state, request, response, url, body));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] });
  server.on('upgrade', (request, socket, head) => {
    const talk = request.url.startsWith('/api/v1/talk');
    const status = !state.signedIn ? '401 Unauthorized' : talk && state.active >= 4 ? '429 Too Many Requests' : null;
    if (status) return socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    sockets.handleUpgrade(request, socket, head, (opened) => (talk ? talkTo(state, opened) : listen(state, opened)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    state, url: `http://127.0.0.1:${server.address().port}`,
    tell: (message) => state.listeners.forEach((socket) => socket.send(JSON.stringify(message))),
    dropListeners: () => state.listeners.forEach((socket) => socket.close(1013, 'too slow')),
    stop: () => new Promise((resolve) => {
      sockets.clients.forEach((socket) => socket.terminate());
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}

function file(response, path) {
  const wanted = join(DIST, path);
  const found = path !== '/' && wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, 'index.html');
  if (found.endsWith('index.html') && extname(path)) return problem(response, 404, 'nothing is served here');
  response.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' });
  createReadStream(found).pipe(response);
}

function route(state, request, response, url, body) {
  const json = (status, value) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  const id = /^\/api\/v1\/calls\/([^/]+)/.exec(url.pathname)?.[1];
  const found = state.calls.find((one) => one.id === id);
  if (url.pathname === '/api/v1/system') return json(200, { version: '0.1.0', active_calls: state.active, waiting_calls: 0, prompts_left: 0, calls_max: 4, engines: [{ name: 'hear', state: 'up' }, { name: 'speak', state: 'up' }] });
  if (url.pathname === '/api/v1/flows') return json(200, { flows: [{ id: 'appointment_reminder', title: '预约提醒', languages: ['zh', 'en'], variables: ['customer_name', 'appointment_time'] }, { id: 'survey', title: '回访', languages: ['zh'], variables: [] }] });
  if (url.pathname === '/api/v1/calls' && request.method === 'POST') {
    const wanted = JSON.parse(body);
    state.posted.push({ ...wanted, key: request.headers['idempotency-key'] });
    if (!wanted.variables?.appointment_time) return problem(response, 422, 'the request has wrong fields', [{ field: 'variables.appointment_time', reason: 'must be a local time like 2026-11-25T15:30' }, { field: 'window', reason: 'not at this hour' }]);
    return json(202, state.calls[0]);
  }
  if (url.pathname === '/api/v1/calls') return json(200, { calls: state.calls, next_cursor: null });
  if (!found) return problem(response, 404, 'no such call');
  if (request.method === 'DELETE') {
    state.hungUp.push(id);
    return json(202, found);
  }
  if (!url.pathname.endsWith('/recording')) return json(200, detailOf(state, found));
  response.writeHead(200, { 'Content-Type': 'audio/wav', 'Content-Length': RECORDING.length, 'Accept-Ranges': 'bytes' });
  response.end(RECORDING);
}

function listen(state, socket) {
  state.listeners.add(socket);
  socket.on('close', () => {
    state.listeners.delete(socket);
    state.watched.delete(socket);
  });
  socket.on('message', (data) => {
    const { type, call_id } = JSON.parse(data);
    if (type === 'watch') state.watched.set(socket, call_id);
  });
  socket.send('{"type":"hello","version":1}');
}

/** Answers with a tone, 50 frames a second, for as long as the visitor stays. */
function talkTo(state, socket) {
  ++state.talk.open;
  socket.send(JSON.stringify({ type: 'started', call_id: LIVE_ID }));
  let sample = 0;
  const timer = setInterval(() => {
    const frame = Buffer.alloc(320);
    for (let i = 0; i < 160; ++i) frame.writeInt16LE(Math.round(9000 * Math.sin((2 * Math.PI * 300 * sample++) / 8000)), 2 * i);
    socket.send(frame);
  }, 20);
  socket.on('message', (data, binary) => {
    if (!binary) return state.talk.controls.push(JSON.parse(data));
    ++state.talk.frames;
    if (data.length === 320 && data.some((byte) => byte !== 0)) state.talk.heard = true;
    if (data.length !== 320) state.talk.wrong = data.length;
  });
  socket.on('close', () => {
    clearInterval(timer);
    --state.talk.open;
  });
}
