import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError, whenUnauthorized } from '../api/client';
import { backOff, parseLive } from '../api/live';
import type { Call } from '../api/types';
import { microphoneFault, whyRefused } from '../audio/talk-session';
import { mergeCalls } from '../model/calls';
import { clock, meter, slotText, when } from '../model/format';
import { parsePath } from '../ui/router';

const answer = (status: number, body: unknown) =>
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify(body), { status })));

afterEach(() => vi.unstubAllGlobals());

describe('client', () => {
  it('hands on the problem with its fields', async () => {
    answer(422, { type: 'about:blank', title: 'Unprocessable', status: 422, errors: [{ field: 'to', reason: 'must be E.164' }] });
    const error = await api.create({ to: 'x' }, 'k').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).problem.errors).toEqual([{ field: 'to', reason: 'must be E.164' }]);
  });
  it('sends the idempotency key and only filled query parameters', async () => {
    answer(200, {});
    await api.create({ to: 'sip:a@b' }, 'key-1');
    await api.calls({ limit: 5 });
    const [[, post], [path]] = vi.mocked(fetch).mock.calls as [[string, RequestInit], [string]];
    expect(post.headers).toMatchObject({ 'Idempotency-Key': 'key-1' });
    expect(path).toBe('/api/v1/calls?limit=5');
  });
  it('tells when there is no session', async () => {
    const told = vi.fn();
    const undo = whenUnauthorized(told);
    answer(401, {});
    await expect(api.system()).rejects.toThrow();
    undo();
    await expect(api.system()).rejects.toThrow();
    expect(told).toHaveBeenCalledTimes(1);
  });
  it('turns a server that is away into status 0', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('failed'))));
    await expect(api.system()).rejects.toMatchObject({ status: 0 });
  });
});

describe('why a talk was refused', () => {
  const system = { version: '1', active_calls: 4, calls_max: 4, engines: [{ name: 'hear', state: 'down' }] };
  it.each([
    [200, system, 'lines_busy'],
    [200, { ...system, active_calls: 1 }, 'refused'],
    [401, {}, 'no_session'],
    [500, {}, 'unreachable'],
  ])('%i', async (status, body, fault) => {
    answer(status, body);
    expect((await whyRefused()).fault).toBe(fault);
  });
  it('names what the microphone said', () => {
    const named = (name: string) => Object.assign(new Error(), { name });
    expect(['NotAllowedError', 'NotFoundError', 'NotReadableError'].map((n) => microphoneFault(named(n)))).toEqual(['mic_denied', 'mic_missing', 'mic_busy']);
  });
});

describe('live feed', () => {
  it('backs off by doubling, up to 15 s, with some scatter', () => {
    expect([0, 1, 2, 9].map((n) => backOff(n, () => 0))).toEqual([500, 1000, 2000, 15000]);
    expect(backOff(0, () => 1)).toBeCloseTo(350);
  });
  it('ignores what is no message', () => {
    expect([parseLive('{'), parseLive('3'), parseLive('{}')]).toEqual([null, null, null]);
    expect(parseLive('{"type":"hello","version":1}')).toEqual({ type: 'hello', version: 1 });
  });
});

describe('small things', () => {
  const call = (id: string, created_at: string, state: Call['state']): Call => ({ id, created_at, state, direction: 'outbound', language: 'zh', flow: 'f' });
  it('keeps calls newest first, each once', () => {
    const list = mergeCalls([call('a', '2026-01-01', 'ringing')], [call('b', '2026-01-02', 'queued'), call('a', '2026-01-01', 'talking')]);
    expect(list.map((c) => [c.id, c.state])).toEqual([['b', 'queued'], ['a', 'talking']]);
  });
  it('shows times', () => {
    expect([clock(0), clock(75_500), clock(-5)]).toEqual(['0:00', '1:15', '0:00']);
    expect(when('nonsense', 'zh-CN')).toBe('');
    expect(slotText('2026-11-25T15:30', 'zh-CN')).toMatch(/11月25日.*15:30/);
    expect(slotText('三号楼', 'zh-CN')).toBe('三号楼');
    expect([meter(-90), meter(0)]).toEqual([0, 1]);
  });
  it('reads addresses', () => {
    expect(['/', '/calls/x%20y', '/talk', '/new', '/else'].map(parsePath)).toEqual([
      { page: 'calls', id: null }, { page: 'calls', id: 'x y' }, { page: 'talk' }, { page: 'new' }, { page: 'calls', id: null },
    ]);
  });
});
