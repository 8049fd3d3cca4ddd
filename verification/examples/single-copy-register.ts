import { machineOf } from '../system/handlers.ts';
import { registerOf, type Size } from './register.ts';

/**
 * A register that one server keeps, for clients that each write once and then read: Stateright's `single-copy-register`, with
 * its 93 states for two clients. With a second server, where each client writes to one and reads from the other, they see
 * no single register.
 */
type Event = { readonly type: 'PUT' | 'GET'; readonly from: string; readonly value: string };

export const server = machineOf<Event>()('server', () => ({ value: '' }), {
  PUT: (_, { from, value }) => [{ value }, [from, { type: 'PUT_OK' }]],
  GET: ({ value }, { from }) => [{}, [from, { type: 'GET_OK', value }]],
});

export const singleCopyRegister = (size: Size = {}) =>
  registerOf('single-copy register', server, { servers: 1, ...size });

export default singleCopyRegister();
