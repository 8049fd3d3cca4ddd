import type { Notice } from '../../runtime/index.ts';

const down = {
  refused: 'nobody listens at its address',
  silent: 'nothing is heard of it',
  closed: 'it has closed',
} as const;

/** What a person should hear of the runtime's notices; what repeats at every attempt to dial is said once. */
export class NoticeText {
  readonly #said = new Set<string>();

  of(notice: Notice): string | null {
    switch (notice.type) {
      case 'listening':
        return null;
      case 'connected':
        return null;
      case 'up':
        return `${notice.peer} is up`;
      case 'restarted':
        return `${notice.peer} is up again, and knows nothing of what was under way to it`;
      case 'down':
        return notice.why === 'left' ? null : `${notice.peer} is down: ${down[notice.why]}`;
      case 'suspected':
        return 'stands for a new epoch';
      case 'elected':
        return `has won epoch ${notice.epoch}`;
      case 'adopted':
        return `follows epoch ${notice.epoch}, whose root is ${notice.root}`;
      case 'lost':
        return `lost the critical section under fence (${notice.fence.epoch}, ${notice.fence.k})`;
      case 'connection-lost':
        return null;
      case 'dropped':
        return `${notice.count} messages for ${notice.peer} are dropped: they were for a life that is over`;
      case 'dial-failed':
        return this.#once(`${notice.peer} is not linked yet, dialling again until it is: ${notice.reason}`);
      case 'left':
        return `${notice.peer} has left`;
      case 'error':
        return this.#once(notice.error.message);
      case 'crash':
        return `${notice.error.message}\nThis site has stopped: what it knows can no longer be trusted.`;
    }
  }

  #once(text: string): string | null {
    if (this.#said.has(text)) return null;
    this.#said.add(text);
    return text;
  }
}
