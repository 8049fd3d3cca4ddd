/** One metric, by OpenTelemetry's conventions for names and units. */
export interface Metric {
  readonly name: string;
  readonly kind: 'histogram' | 'counter' | 'up-down counter' | 'gauge';
  /** In UCUM; the counted things stand in braces. */
  readonly unit: string;
  readonly description: string;
  /** Beside `baton.cluster.name` and `baton.site.id`, which all have. */
  readonly attributes: readonly string[];
}

/** Every metric there is. */
export const metrics = {
  waitDuration: {
    name: 'baton.lock.wait.duration',
    kind: 'histogram',
    unit: 's',
    description: 'From asking for a lock to its grant, or to the error',
    attributes: ['error.type', 'baton.lock.name'],
  },
  holdDuration: {
    name: 'baton.lock.hold.duration',
    kind: 'histogram',
    unit: 's',
    description: 'From a grant to the release, or to the loss',
    attributes: ['error.type', 'baton.lock.name'],
  },
  grants: {
    name: 'baton.lock.grants',
    kind: 'counter',
    unit: '{grant}',
    description: 'Critical sections entered',
    attributes: [],
  },
  lost: {
    name: 'baton.lock.losses',
    kind: 'counter',
    unit: '{loss}',
    description: 'Critical sections that were over without a release',
    attributes: [],
  },
  handoffs: {
    name: 'baton.lock.handoffs',
    kind: 'counter',
    unit: '{handoff}',
    description: 'Tokens that came from another site',
    attributes: [],
  },
  waiting: {
    name: 'baton.lock.waiting',
    kind: 'up-down counter',
    unit: '{caller}',
    description: 'Callers of this site that wait, of all locks',
    attributes: [],
  },
  held: {
    name: 'baton.lock.held',
    kind: 'up-down counter',
    unit: '{lock}',
    description: 'Locks that callers of this site hold',
    attributes: [],
  },
  known: {
    name: 'baton.lock.known',
    kind: 'up-down counter',
    unit: '{lock}',
    description: 'Locks that this site has heard of so far',
    attributes: [],
  },
  frozen: {
    name: 'baton.lock.frozen',
    kind: 'up-down counter',
    unit: '{lock}',
    description: 'Locks that stand still here until an election is over',
    attributes: [],
  },
  sent: {
    name: 'baton.message.sent',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages to peers',
    attributes: ['baton.message.type'],
  },
  received: {
    name: 'baton.message.received',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages of peers',
    attributes: ['baton.message.type'],
  },
  traffic: {
    name: 'baton.network.io',
    kind: 'counter',
    unit: 'By',
    description: 'Bytes to and of peers, heartbeats included',
    attributes: ['network.io.direction'],
  },
  adopted: {
    name: 'baton.epoch.adoptions',
    kind: 'counter',
    unit: '{epoch}',
    description: 'Epochs that this site has adopted',
    attributes: [],
  },
  elections: {
    name: 'baton.epoch.elections',
    kind: 'counter',
    unit: '{election}',
    description: 'Epochs that this site has won',
    attributes: [],
  },
  suspicions: {
    name: 'baton.epoch.suspicions',
    kind: 'counter',
    unit: '{suspicion}',
    description: 'How often this site stood for a new epoch',
    attributes: [],
  },
  links: {
    name: 'baton.link.up',
    kind: 'up-down counter',
    unit: '{link}',
    description: 'Peers that are connected',
    attributes: [],
  },
  majority: {
    name: 'baton.cluster.majority',
    kind: 'gauge',
    unit: '1',
    description: '1 while a majority of the voters is in reach, else 0',
    attributes: [],
  },
  untaken: {
    name: 'baton.message.untaken',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages of peers that were not taken, since there was no room for the lock',
    attributes: [],
  },
  refused: {
    name: 'baton.connection.refused',
    kind: 'counter',
    unit: '{connection}',
    description: 'Connections closed for what they brought',
    attributes: ['error.type'],
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricKey = keyof typeof metrics;
