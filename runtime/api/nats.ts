/** The part of a message that came over NATS. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
}

/** The part that is used of a connection of NATS's clients: `@nats-io/transport-node` 3, or `nats` 2. */
export interface NatsConnection {
  publish(subject: string, data: Uint8Array, options?: { readonly reply?: string }): void;
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: NatsMessage) => void },
  ): { unsubscribe(): void };
  readonly info?: { readonly max_payload?: number };
}
