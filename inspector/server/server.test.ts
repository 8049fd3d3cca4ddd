import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { baton } from '../../cli/testing/baton.ts';
import { Packed, type PageServer, Refused, servePage } from './server.ts';

let server: PageServer;
beforeAll(async () => {
  const files = new Map([['/index.html', { type: 'text/html', body: Buffer.from('<p>page</p>') }]]);
  server = await servePage(
    files,
    (path) => {
      if (path === 'fails') throw new Error('no');
      if (path === 'packed') return Packed.of({ some: 'thing' });
      if (path !== 'sources') throw new Refused('NOT_FOUND', 'no', 404);
      return { some: 'thing' };
    },
    0,
  );
});
afterAll(() => server.close());

interface Answered {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, server.url), { headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}

describe('the server of the page', () => {
  it('listens on loopback, and gives the page and what it asks for', async () => {
    expect(server.server.address()).toMatchObject({ address: '127.0.0.1' });
    expect(await ask('/')).toMatchObject({ status: 200, body: '<p>page</p>' });
    expect(await ask('/api/sources')).toMatchObject({ status: 200, body: '{"some":"thing"}' });
  });

  it('sends an answer that was compressed before, also to a client that does not take that', async () => {
    const plain = await ask('/api/packed');
    expect(plain.body).toBe('{"some":"thing"}');
    expect(plain.headers).not.toHaveProperty('content-encoding');
    const { headers } = await ask('/api/packed', { 'accept-encoding': 'gzip' });
    expect(headers['content-encoding']).toBe('gzip');
  });

  it('allows the page its own script and style, and nothing else', async () => {
    const { headers } = await ask('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each([
    ['a name that was made to point here', { host: 'rebound.example' }, 'HOST_REFUSED'],
    ['a page of another site', { origin: 'https://elsewhere.example' }, 'ORIGIN_REFUSED'],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 'ORIGIN_REFUSED'],
    ['a sandboxed page', { origin: 'null' }, 'ORIGIN_REFUSED'],
  ])('refuses %s', async (_, headers, code) => {
    for (const path of ['/', '/api/sources']) {
      const { status, body } = await ask(path, headers);
      expect(status).toBe(403);
      expect(JSON.parse(body)).toMatchObject({ code });
    }
  });

  it('takes its own origin, and is read-only', async () => {
    const origin = server.url.replace(/\/$/, '');
    expect((await ask('/api/sources', { origin })).status).toBe(200);
    expect((await ask('/api/sources', {}, 'POST')).status).toBe(405);
  });

  it('gives no file but those of the page, and says so in JSON', async () => {
    for (const path of ['/package.json', '/..%2f..%2fetc/passwd', '/api/other']) {
      const { status, headers } = await ask(path);
      expect(status).toBe(404);
      expect(headers['content-type']).toContain('application/json');
    }
    expect(await ask('/api/fails')).toMatchObject({ status: 500, body: '{"code":"FAILED","message":"no"}' });
  });

  it('is refused a port that is taken', async () => {
    const { port } = new URL(server.url);
    const file = 'package.json';
    expect(await baton('inspect', file, '--port', port)).toMatchObject({ status: 2 });
    expect(await baton('explore', 'naimi-trehel', '--port', port)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--port 0'),
    });
  });
});
