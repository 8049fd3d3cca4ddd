import { describe, expect, test } from 'vitest';
import { OperatingError } from '../api/errors.ts';
import type { PeerChange, StampedEnvelope } from '../api/peer.ts';
import { MemoryHub } from './memory.ts';

const envelope = (source: string, target: string, type: string): StampedEnvelope => ({
  source,
  target,
  lock: 'main',
  message: { type },
  stamp: { seq: 1, clock: { [source]: 1 } },
});

async function openThree() {
  const seen = { woken: 0, arrived: [] as string[], changes: [] as string[], lost: [] as string[][] };
  const hub = new MemoryHub(() => {
    seen.woken += 1;
  });
  const open = async (id: string) => {
    const mailbox = hub.mailbox(id);
    await mailbox.open({
      receive: ({ source, target, message }) => {
        if (message.type === 'REFUSED') throw new OperatingError('TOO_MANY_LOCKS', 'no room');
        seen.arrived.push(`${source}>${target} ${message.type}`);
      },
      peerChanged: (change) => {
        seen.changes.push(`${id}: ${describeChange(change)}`);
        if (change.type === 'restarted') seen.lost.push(change.lost.map(({ message }) => message.type));
      },
      beforeWrite: () => seen.arrived.push(`${id} writes`),
    });
    return mailbox;
  };
  return { hub, seen, open, a: await open('a'), b: await open('b'), c: await open('c') };
}

function describeChange(change: PeerChange): string {
  const { type, peer } = change;
  return `${peer} ${type} ${change.type === 'down' ? change.why : change.incarnation}`;
}

describe('a hub of mailboxes', () => {
  test('delivers nothing by itself, and tells once that there is something', async () => {
    const { hub, seen, a, b } = await openThree();
    a.post(envelope('a', 'b', 'ONE'));
    b.post(envelope('b', 'c', 'TWO'));
    expect(seen).toMatchObject({ woken: 1, arrived: ['a writes', 'b writes'] });
    expect(hub.pending()).toEqual([
      { source: 'a', target: 'b' },
      { source: 'b', target: 'c' },
    ]);
  });

  test('is FIFO for each ordered pair, and the caller orders the pairs', async () => {
    const { hub, seen, a, c } = await openThree();
    a.post(envelope('a', 'b', 'ONE'));
    a.post(envelope('a', 'b', 'TWO'));
    c.post(envelope('c', 'b', 'THREE'));
    seen.arrived.splice(0);
    hub.run((pending) => pending.at(-1)!);
    expect(seen.arrived).toEqual(['c>b THREE', 'a>b ONE', 'a>b TWO']);
    expect(() => hub.deliver({ source: 'a', target: 'b' })).toThrow(RangeError);
  });

  test('loses nothing in silence: neither from a closed mailbox nor to one', async () => {
    const { hub, a, b } = await openThree();
    a.post(envelope('a', 'b', 'ONE'));
    await b.close('left');
    expect(a.connected()).toEqual(['c']);
    expect(() => hub.run()).toThrow(expect.objectContaining({ code: 'UNDELIVERED' }));
    expect(() => b.post(envelope('b', 'a', 'TWO'))).toThrow(
      expect.objectContaining({ code: 'MAILBOX_CLOSED' }),
    );
  });
});

describe('its peers', () => {
  test('are up when both are open, and down when one says goodbye', async () => {
    const { seen, b } = await openThree();
    await b.close('left');
    expect(seen.changes).toEqual([
      'a: b up b-1',
      'b: a up a-1',
      'a: c up c-1',
      'c: a up a-1',
      'b: c up c-1',
      'c: b up b-1',
      'a: b down left',
      'c: b down left',
    ]);
  });

  test('that are cut off are silent, and up again after it with what was posted meanwhile', async () => {
    const { hub, seen, a } = await openThree();
    seen.changes.splice(0);
    a.post(envelope('a', 'b', 'ONE'));
    hub.cut('b', 'a');
    a.post(envelope('a', 'b', 'TWO'));
    expect([hub.pending(), a.connected()]).toEqual([[], ['c']]);
    hub.restore('a', 'b');
    seen.arrived.splice(0);
    hub.run();
    expect(seen.arrived).toEqual(['a>b ONE', 'a>b TWO']);
    expect(seen.changes).toEqual(['b: a down silent', 'a: b down silent', 'a: b up b-1', 'b: a up a-1']);
  });

  test('that crash are refused, and restarted when they open again; nothing of the old life comes', async () => {
    const { hub, seen, open, a, b } = await openThree();
    seen.changes.splice(0);
    a.post(envelope('a', 'b', 'ONE'));
    b.post(envelope('b', 'a', 'TWO'));
    hub.crash('b');
    a.post(envelope('a', 'b', 'THREE'));
    await open('b');
    expect(hub.pending()).toEqual([]);
    expect(seen.changes).toEqual([
      'a: b down refused',
      'c: b down refused',
      'a: b restarted b-2',
      'b: a up a-1',
      'c: b restarted b-2',
      'b: c up c-1',
    ]);
  });

  test('of which one is refused a message: their link begins anew, and what was under way on it is lost', async () => {
    const { hub, seen, a, b, c } = await openThree();
    seen.changes.splice(0);
    a.post(envelope('a', 'b', 'REFUSED'));
    a.post(envelope('a', 'b', 'BEHIND'));
    b.post(envelope('b', 'a', 'BACK'));
    c.post(envelope('c', 'b', 'OTHER'));
    hub.deliver({ source: 'a', target: 'b' });
    expect(hub.pending()).toEqual([{ source: 'c', target: 'b' }]);
    expect(seen.changes).toEqual(['a: b restarted b-1', 'b: a restarted a-1']);
    expect(seen.lost).toEqual([['REFUSED', 'BEHIND'], ['BACK']]);
    seen.arrived.splice(0);
    a.post(envelope('a', 'b', 'AFTER'));
    hub.run();
    expect(seen.arrived).toEqual(['a writes', 'c>b OTHER', 'a>b AFTER']);
  });
});
