import type { Message, SiteState, Timeline, TimelineStep } from '../../../verification/timeline/format.ts';

/** A run of `steps` steps in which the token goes round: each site enters, leaves, and sends it on. */
export function longRun(steps: number, sites = ['a', 'b', 'c', 'd']): Timeline {
  const idle = (token: boolean): SiteState => ({ up: true, value: { client: 'idle' }, context: { token } });
  const inside: SiteState = { up: true, value: { client: 'inCS' }, context: { token: true } };
  const messages: Message[] = [];
  const told = Array.from({ length: steps }, (_, index): TimelineStep => {
    const turn = Math.floor(index / 2);
    const site = sites[turn % sites.length]!;
    const isEntry = index % 2 === 0;
    const rest = { site, effects: [], taken: [], verdicts: {} };
    if (isEntry) {
      const message = messages.length - 1;
      const before = messages[message];
      if (before !== undefined) messages[message] = { ...before, ended: index + 1, fate: 'received' };
      const event = { type: 'TOKEN' };
      return {
        ...rest,
        kind: 'deliver',
        text: `${site} enters`,
        event,
        message: before ? message : null,
        sites: { [site]: inside },
      };
    }
    const target = sites[(turn + 1) % sites.length]!;
    messages.push({
      source: site,
      target,
      message: { type: 'TOKEN' },
      sent: index + 1,
      ended: null,
      fate: 'under way',
    });
    const event = { type: 'release' };
    return {
      ...rest,
      kind: 'environment',
      text: `${site} leaves`,
      event,
      message: null,
      sites: { [site]: idle(false) },
    };
  });
  return {
    version: 1,
    title: `${steps} steps`,
    about: 'the token goes round',
    sites: sites.map((id) => ({ id, machine: null })),
    machines: {},
    properties: [{ name: 'mutual exclusion', kind: 'always' }],
    critical: ['client.inCS'],
    start: {
      sites: Object.fromEntries(sites.map((id, index) => [id, idle(index === 0)])),
      verdicts: [{ verdict: 'holds' }],
    },
    steps: told,
    messages,
  };
}
