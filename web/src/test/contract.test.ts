// @vitest-environment node
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CALL_STATES } from '../api/types';

const openapi = readFileSync(new URL('../../../src/api/openapi.yaml', import.meta.url), 'utf8');
const types = readFileSync(new URL('../api/types.ts', import.meta.url), 'utf8');

/** The property names of one schema of the file; they stand at depth 8. */
function properties(schema: string): string[] {
  const body = openapi.split(`\n    ${schema}:\n`)[1]?.split(/\n    \S/)[0] ?? '';
  return [...body.matchAll(/^ {8}([a-z_]+):/gm)].map((match) => match[1] as string);
}

describe('the client and openapi.yaml', () => {
  it('name the same states of a call', () => {
    const listed = /CallState: \{type: string, enum: \[([^\]]+)\]/.exec(openapi)?.[1]?.split(', ');
    expect(listed).toEqual([...CALL_STATES]);
  });

  it.each(['Call', 'Turn', 'Stages', 'NewCall', 'Flow', 'System'])('know every property of %s', (schema) => {
    const wanted = properties(schema);
    expect(wanted.length).toBeGreaterThan(2);
    const body = types.split(`export interface ${schema} `)[1]?.split('\n}')[0] ?? '';
    for (const name of wanted) expect(body, `${schema}.${name}`).toMatch(new RegExp(`\\b${name}\\??:`));
  });

  it('knows every live message', () => {
    const described = openapi.split('`hello {version}`')[1]?.split('A client that')[0] ?? '';
    for (const [, name] of described.matchAll(/`([a-z]+) \{/g)) expect(types).toContain(`type: '${name}'`);
  });
});
