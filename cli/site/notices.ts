import type { Notice } from '../../runtime/index.ts';

/** What a person should hear of the runtime's notices; what repeats at every attempt to dial is said once. */
export class NoticeText {
  readonly #said = new Set<string>();

  of(notice: Notice): string | null {
    switch (notice.type) {
      case 'listening':
        return null;
      case 'connected':
        return `${notice.peer} is connected`;
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
