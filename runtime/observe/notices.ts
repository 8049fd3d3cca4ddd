import type { SuspicionReason } from '../../machines/epoch/messages.ts';
import { throwUncaught } from '../api/errors.ts';
import { fenceText } from '../api/fence.ts';
import type { Logger, Notice } from '../api/notice.ts';

export type Level = keyof Logger;

/** A notice as a log has it. */
export interface Entry {
  readonly level: Level;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const down = {
  refused: 'nobody listens at its address',
  silent: 'nothing is heard of it',
  closed: 'it has closed',
  left: 'it has left',
} as const;

const suspicions: Readonly<Record<SuspicionReason, string>> = {
  minority: 'no majority of the voters is in reach',
  election: 'the election before it did not end',
  restart: 'this site crashed in the epoch before',
  forgotten: 'no site remembers the lock',
  death: 'a site died, and callers wait',
  loss: 'a message of the lock was lost',
  patience: 'callers have waited long, and a site is down',
};

/** Maximum number of texts that are remembered as told. */
const rememberedTexts = 1_000;

/**
 * The level and the text of every notice. A notice that repeats, as at every attempt to dial, is told once, and then
 * as `debug`.
 */
export class Notices {
  /** Each with its peer, where it is one's. */
  readonly #told = new Map<string, string | null>();

  entry(notice: Notice): Entry {
    const [level, text] = this.#levelAndText(notice);
    return { level, text, fields: fieldsOf(notice) };
  }

  #levelAndText(notice: Notice): readonly [Level, string] {
    switch (notice.type) {
      case 'listening':
        return ['debug', `listens on ${notice.address.host}:${notice.address.port}`];
      case 'founded':
        return ['debug', `the cluster is founded, by ${Object.keys(notice.ids).sort().join(', ')}`];
      case 'attached':
        return ['info', `is a guest of ${notice.member}, which stands in line for it`];
      case 'moved':
        return ['info', 'waits at the end of the line of another member: the one before is gone'];
      case 'connected':
        for (const [text, peer] of this.#told) if (peer === notice.peer) this.#told.delete(text);
        return ['debug', `${notice.peer} is connected`];
      case 'connection-lost':
        return ['debug', `the connection to ${notice.peer} is lost: ${notice.reason}`];
      case 'up':
        return ['info', `${notice.peer} is up`];
      case 'restarted':
        return ['warn', `${notice.peer} is up again, and knows nothing of what was under way to it`];
      case 'down':
        return [notice.why === 'left' ? 'debug' : 'warn', `${notice.peer} is down: ${down[notice.why]}`];
      case 'left':
        return ['info', `${notice.peer} has left`];
      case 'suspected':
        return ['info', `stands for a new epoch: ${suspicions[notice.because.reason]}`];
      case 'elected':
        return ['info', `has won epoch ${notice.epoch}`];
      case 'adopted':
        return ['info', `follows epoch ${notice.epoch}, whose root is ${notice.root}`];
      case 'lost':
        return ['error', `lost the critical section under fence ${fenceText(notice.fence)}`];
      case 'members':
        return [
          'info',
          `members (${notice.term}, ${notice.version}): ${notice.voters.toSorted().join(', ')}${notice.joins ? '; this site has joined them' : ''}`,
        ];
      case 'dropped':
        return [
          'warn',
          notice.count === 1
            ? `1 message for ${notice.peer} is dropped: it was for a life that is over`
            : `${notice.count} messages for ${notice.peer} are dropped: they were for a life that is over`,
        ];
      case 'dial-failed':
        return this.#once(
          notice.peer,
          `${notice.peer} is not linked yet, dialling again until it is: ${notice.reason}`,
        );
      case 'error':
        // Every close that the peers have not heard of yet causes some.
        if (notice.error.code === 'UNDELIVERED') return ['debug', notice.error.message];
        return this.#once(
          notice.peer,
          notice.error.message,
          notice.untold ? ` (and ${notice.untold} more)` : '',
        );
      case 'no-majority':
        return [
          'warn',
          `callers wait, and nobody can be granted a lock: no majority of the ${notice.of} voters is in reach; ` +
            `missing: ${notice.missing.join(', ')}. Check that they run, their addresses and their logs`,
        ];
      case 'held-long':
        return [
          'warn',
          `is held for ${Math.round(notice.heldMs)} ms under fence ${fenceText(notice.fence)}` +
            (notice.forced ? ', and is released by force' : '; nobody else is granted it'),
        ];
      case 'leaked':
        return [
          'error',
          `was acquired under fence ${fenceText(notice.fence)} and never released, and what could release ` +
            'it is gone: nobody else is granted it until this site is closed. It was taken ' +
            (notice.taken ?? 'at a place that is not known, since grants came faster than one a millisecond'),
        ];
      case 'many-locks':
        return [
          'warn',
          `knows ${notice.known} locks${notice.peer === null ? '' : ` that ${notice.peer} was the first to name`}, of at most ` +
            `${notice.most} (limits.${notice.limit}), though it forgets them as soon as it can: use fewer names, or raise the limit`,
        ];
      case 'crash':
        return [
          'error',
          `${notice.error.message}\nThis site has stopped: what it knows can no longer be trusted.`,
        ];
    }
  }

  #once(peer: string | null, text: string, more = ''): readonly [Level, string] {
    const level = this.#told.has(text) ? 'debug' : 'warn';
    if (this.#told.size >= rememberedTexts) this.#told.clear();
    this.#told.set(text, peer);
    return [level, `${text}${more}`];
  }
}

function fieldsOf(notice: Notice): Readonly<Record<string, unknown>> {
  const { type: event, ...rest } = notice;
  // Envelopes are nothing for a log; `err` is where loggers look for an error.
  if ('lost' in rest) return { event, ...rest, lost: rest.lost.length };
  if (!('error' in rest)) return { event, ...rest };
  const { error: err, ...more } = rest;
  return { event, ...more, code: err.code, err };
}

/**
 * Writes every notice into `logger`, with its cluster and site. An error that `logger` throws becomes an uncaught
 * exception, and does not reach the site.
 */
export function logTo(
  logger: Logger,
  site: { readonly cluster: string; readonly site: string },
): (notice: Notice) => void {
  const notices = new Notices();
  const plain = isConsole(logger);
  return (notice) => {
    const { level, text, fields } = notices.entry(notice);
    try {
      if (plain) logger[level](inWords(site, fields, text));
      else logger[level]({ ...site, ...fields }, text);
    } catch (error) {
      throwUncaught(error);
    }
  };
}

/** The notices that are told even without a log: a caller waits in vain, or a lock is held for too long. */
const unasked: ReadonlySet<Notice['type']> = new Set(['no-majority', 'held-long', 'leaked', 'many-locks']);

/** Warns of what must not be silent, as Node warns of what it finds: once each, on standard error. */
export function warnUnasked(
  site: { readonly cluster: string; readonly site: string },
  listeners: { readonly areHeard: boolean },
) {
  const notices = new Notices();
  return (notice: Notice): void => {
    if (listeners.areHeard || !unasked.has(notice.type)) return;
    const { text, fields } = notices.entry(notice);
    const code = `BATON_${notice.type.toUpperCase().replaceAll('-', '_')}`;
    process.emitWarning(inWords(site, fields, text), { type: 'BatonWarning', code });
  };
}

/** `cluster/site lock: text`, for a log of lines. */
function inWords(
  { cluster, site }: { readonly cluster: string; readonly site: string },
  { lock }: Readonly<Record<string, unknown>>,
  text: string,
): string {
  return `baton ${cluster}/${site}${typeof lock === 'string' ? ` ${lock}` : ''}: ${text}`;
}

/** Node's takes texts, and would print an object for each line. */
function isConsole(logger: Logger): logger is Logger & Console {
  return 'table' in logger && 'group' in logger;
}
