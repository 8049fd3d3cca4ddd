import type { Message } from '../../machines/actor.ts';
import type { DurableState, Fence, LeaseEffect } from '../../machines/epoch/messages.ts';
import type { InvariantError, OperatingError } from '../api/errors.ts';
import { Driver, type DriverSetting, type DriverStart, type Elected } from '../driver/driver.ts';
import { noRecorder } from '../observe/recorder.ts';
import { Tally } from '../site/tally.ts';
import type { StampedEnvelope } from '../wire/frames.ts';

/** Who does what the machine asks for. What is not there is not done. */
export interface HostHandlers {
  readonly post: (envelope: StampedEnvelope) => void;
  readonly persist: (disk: DurableState) => void;
  readonly sync: () => void;
  readonly grant: (fence: Fence | null) => void;
  readonly lost: (fence: Fence) => void;
  readonly elected: (election: Elected) => void;
  readonly left: () => void;
  readonly due: () => readonly Message[];
  /** Default: throws it. */
  readonly refused: (error: OperatingError) => void;
  /** Default: throws it. */
  readonly crashed: (error: InvariantError) => void;
}

export type HandledHostOptions = Pick<DriverSetting, 'site' | 'protocol'> &
  Partial<DriverSetting> &
  DriverStart &
  Partial<HostHandlers>;

/** A host without a place. */
export class HandledHost extends Driver {
  readonly #handlers: Partial<HostHandlers>;

  constructor(options: HandledHostOptions) {
    super({ life: 0, recorder: noRecorder, tally: new Tally(), ...options }, options);
    this.#handlers = options;
    this.begin();
  }

  protected post(envelope: StampedEnvelope): void {
    this.#handlers.post?.(envelope);
  }

  protected persist(disk: DurableState): void {
    this.#handlers.persist?.(disk);
  }

  protected sync(): void {
    this.#handlers.sync?.();
  }

  protected grant(fence: Fence | null): void {
    this.#handlers.grant?.(fence);
  }

  protected lose(fence: Fence): void {
    this.#handlers.lost?.(fence);
  }

  protected elected(election: Elected): void {
    this.#handlers.elected?.(election);
  }

  protected left(): void {
    this.#handlers.left?.();
  }

  protected lease(_: LeaseEffect): void {}

  protected due(): readonly Message[] {
    return this.#handlers.due?.() ?? [];
  }

  protected breached(_: StampedEnvelope, error: OperatingError): void {
    if (!this.#handlers.refused) throw error;
    this.#handlers.refused(error);
  }

  protected crashed(error: InvariantError): void {
    if (!this.#handlers.crashed) throw error;
    this.#handlers.crashed(error);
  }
}
