import { describe, expect, it } from 'vitest';
import { freePorts } from '../runtime/testing/free-ports.ts';
import { BatonProcess, baton } from './testing/baton.ts';
import { directory } from './testing/directory.ts';

/** Sites `a`, `b`, ... by pipe, recorded into `trace`, each with `more` flags. */
async function sites(count: number, trace: string, more: Readonly<Record<string, readonly string[]>> = {}) {
  const ports = await freePorts(count);
  const addresses = ports.map(
    (port, index) => [String.fromCharCode(97 + index), `127.0.0.1:${port}`] as const,
  );
  return addresses.map(([id, listen]) => {
    const peers = addresses.filter(([other]) => other !== id).map(([other, at]) => `${other}=${at}`);
    const asked = ['--id', id, '--listen', listen, '--peers', peers.join(), '--trace', trace];
    return new BatonProcess(['site', ...asked, ...(more[id] ?? [])]);
  });
}

/** Sites `a`, `b` and `c` that may be killed: how to start one, and all three for the first time. */
async function survivors(trace: string, always: readonly string[] = []) {
  const [data, ports] = [directory(), await freePorts(3)];
  const ids = ['a', 'b', 'c'];
  const start = (id: string, ...more: string[]) => {
    const peers = ids.flatMap((other, at) => (other === id ? [] : `${other}=127.0.0.1:${ports[at]}`));
    const listen = `127.0.0.1:${ports[ids.indexOf(id)]}`;
    const asked = ['--id', id, '--listen', listen, '--peers', peers.join(), '--trace', trace];
    return new BatonProcess(['site', ...asked, '--data-dir', data, '--voters', 'a,b,c', ...always, ...more]);
  };
  const started = async () => {
    const sites = ids.map((id) => start(id)) as [BatonProcess, BatonProcess, BatonProcess];
    for (const site of sites) for (let peer = 1; peer < ids.length; peer++) await site.hear(/ is up$/);
    return sites;
  };
  return { start, started };
}

describe('baton site', () => {
  it('takes turns by pipe; a site that quits hands the token on; the record is accepted', async () => {
    const trace = directory();
    const [a, b, c] = (await sites(3, trace)) as [BatonProcess, BatonProcess, BatonProcess];
    await a.hear(/^a listens on 127\.0\.0\.1:\d+; root is a \(the first of the ids/);

    b.type('request');
    await b.hear(/^the token is here: in the critical section, under fence \(0, 1\)$/);
    b.type('status');
    expect(await b.hear(/^last /)).toMatch(
      /^last nil, line empty, token here, client inCS under fence \(0, 1\), epoch 0; /,
    );
    b.type('request');
    await b.hear(/^already in the critical section$/);

    c.type('request');
    await c.hear(/^requested$/);
    c.type('status');
    expect(await c.hear(/^last /)).toMatch(/token elsewhere, client requesting, 1 waiting here/);
    // Until b knows that c waits, it may leave without handing the token to c.
    await expect
      .poll(
        async () => {
          b.type('status');
          return b.hear(/^last /);
        },
        { timeout: 30_000 },
      )
      .toMatch(/^last nil, line c, /);

    b.type('quit');
    await c.hear(/^the token is here: in the critical section, under fence \(0, 2\)$/);
    c.type('status');
    await c.hear(/^last nil, line empty, token here, client inCS/);
    c.type('release');
    await c.hear(/^released$/);
    expect(await b.end()).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nleft\n$/) });
    await a.hear(/^b has left$/);

    c.child.kill('SIGINT');
    expect(await c.end()).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nleft\n$/) });
    await a.hear(/^c has left$/);
    a.type('status');
    await a.hear(/^last c, line empty, token elsewhere, client idle, epoch 0; connected: nobody$/);
    a.endInput();
    expect(await a.end()).toMatchObject({ status: 0, stderr: '' });

    const replayed = await baton('replay', trace);
    expect(replayed.stdout).toMatch(/at a, b, c: \d+ events, \d+ messages, 2 critical sections\naccepted/);
    expect(replayed.status).toBe(0);
  });

  it('runs the commands of a pipe in order: release waits for the request before it', async () => {
    const [a, b] = (await sites(2, directory())) as [BatonProcess, BatonProcess];
    for (const line of ['release', 'request', 'release', 'jump', '', 'help', 'status', 'quit']) b.type(line);
    await b.hear(/^not in the critical section$/);
    await b.hear(/^requested$/);
    await b.hear(/^the token is here/);
    await b.hear(/^released$/);
    await b.hear(
      /^unknown command jump; there are request, release, status, members, add, remove, replace, quit, help$/,
    );
    await b.hear(/^request {3}ask for the critical section/);
    await b.hear(/^last nil, line empty, token here, client idle/);
    expect(await b.end()).toMatchObject({ status: 0 });
    a.endInput();
    expect(await a.end()).toMatchObject({ status: 0 });
  });

  it('leaves on a first Ctrl-C, and ends at once on a second', async () => {
    const [a, b] = (await sites(2, directory())) as [BatonProcess, BatonProcess];
    await a.hear(/^b is up$/);
    // A peer that acknowledges nothing keeps the site from leaving at once.
    b.child.kill('SIGSTOP');
    a.child.kill('SIGINT');
    await a.hear(/^leaves: hands on what it has, and says goodbye$/);
    a.child.kill('SIGINT');
    await a.hear(/^ended without leaving: the others take it for dead/);
    expect(await a.end()).toMatchObject({ status: 1 });
  });

  it('does not link with a site that believes in another root', async () => {
    const [a, b] = (await sites(2, directory(), { b: ['--root', 'b'] })) as [BatonProcess, BatonProcess];
    await b.hear(/^FOREIGN_CONFIGURATION: expected a to be configured like b, it is not/);
    await a.hear(/^b is not linked yet, dialling again until it is: .*handshake/);
    b.type('status');
    await b.hear(/connected: nobody$/);
  });

  it('refuses a port that is taken, and a record that is there already', async () => {
    const [trace, ports] = [directory(), await freePorts(1)];
    const asked = ['site', '--id', 'a', '--listen', `127.0.0.1:${ports[0]}`, '--peers', 'b=127.0.0.1:1'];
    const first = new BatonProcess([...asked, '--trace', trace]);
    await first.hear(/listens on/);
    expect(await baton(...asked)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('LISTEN_FAILED'),
    });
    expect(await baton(...asked, '--trace', trace)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('TRACE_FAILED'),
    });
  });

  it('goes on without a holder that is killed, which comes back with its disk; the record is accepted', async () => {
    const trace = directory();
    const { start, started } = await survivors(trace);
    const [a, b, c] = await started();
    a.type('request');
    await a.hear(/^the token is here: in the critical section, under fence \(0, 1\)$/);
    b.type('request');
    await b.hear(/^requested$/);

    a.child.kill('SIGKILL');
    await b.hear(/^a is down: /);
    await b.hear(/^the token is here: in the critical section, under fence \([1-9]\d*, 1\)$/);
    b.type('status');
    await b.hear(/^last nil, line empty, token here, client inCS under fence \([1-9]\d*, 1\), epoch [1-9]/);

    const again = start('a');
    await b.hear(/^a is up again/);
    again.type('status');
    await again.hear(/, token elsewhere, client idle, epoch \d+, frozen until the next; connected: /);
    b.type('release');
    await b.hear(/^released$/);
    again.type('request');
    await again.hear(/^follows epoch [1-9]\d*, /);
    await again.hear(/^the token is here: in the critical section, under fence \([1-9]\d*, \d+\)$/);

    for (const site of [b, c, again]) site.child.kill('SIGTERM');
    for (const site of [b, c, again]) {
      expect(await site.end()).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nleft\n$/) });
    }
    const replayed = await baton('replay', trace);
    expect(replayed.stdout).toMatch(/accepted/);
    expect(replayed.status).toBe(0);
  });

  it.each([[[]], [['--strict', '500']]])(
    'goes on without a holder that is stopped, which learns of it when it goes on itself, and is served: %j',
    async (always) => {
      const { started } = await survivors(directory(), always);
      const [a, b, c] = await started();
      c.type('request');
      await c.hear(/^the token is here: .*, under fence \(0, 1\)$/);
      b.type('request');
      await b.hear(/^requested$/);
      c.child.kill('SIGSTOP');
      await b.hear(/^c is down: nothing is heard of it$/);
      await b.hear(/^the token is here: .*, under fence \([1-9]\d*, 1\)$/);
      b.type('release');
      a.type('request');
      await a.hear(/^the token is here: .*, under fence \([1-9]\d*, \d+\)$/);
      c.child.kill('SIGCONT');
      await c.hear(/^lost the critical section under fence \(0, 1\)$/);
      a.type('release');
      c.type('release');
      await c.hear(/^not in the critical section$/);
      c.type('request');
      await c.hear(/^the token is here: .*, under fence \([1-9]\d*, \d+\)$/);
      for (const site of [a, b, c]) site.endInput();
      for (const site of [a, b, c]) expect(await site.end()).toMatchObject({ status: 0 });
    },
  );

  it('enters after a stopped holder only when the lease of that one is over', async () => {
    const leaseMs = 4_000;
    const { started } = await survivors(directory(), ['--strict', `${leaseMs}`]);
    const [a, b, c] = await started();
    c.type('request');
    await c.hear(/^the token is here: .*, under fence \(0, 1\)$/);
    b.type('request');
    await b.hear(/^requested$/);
    // The lease has now been renewed at least once.
    await new Promise((resolve) => setTimeout(resolve, leaseMs / 2));
    const stopped = performance.now();
    c.child.kill('SIGSTOP');
    await b.hear(/^the token is here: .*, under fence \([1-9]\d*, 1\)$/);
    // Its last round began a quarter of a lease ago; as much again for a busy machine.
    expect(performance.now() - stopped).toBeGreaterThan(leaseMs / 2);
    c.child.kill('SIGCONT');
    await c.hear(/^lost the critical section under fence \(0, 1\)$/);
    b.type('release');
    for (const site of [a, b, c]) site.endInput();
    for (const site of [a, b, c]) expect(await site.end()).toMatchObject({ status: 0 });
  });
});
