import { createBrowserInspector } from '@statelyai/inspect';
import { assign, createActor, setup } from 'xstate';

/** The parts of a browser's globals that are used here. */
declare const document: {
  querySelector(selector: string): (EventTarget & { textContent: string }) | null;
};
declare const location: { readonly search: string };

/* An app in a browser, as users write it: a light that is switched, and told to the page it names. */

const machine = setup({
  types: { context: {} as { times: number } },
}).createMachine({
  id: 'light',
  context: { times: 0 },
  initial: 'off',
  states: {
    off: { on: { toggle: { target: 'on', actions: assign({ times: ({ context }) => context.times + 1 }) } } },
    on: { on: { toggle: 'off' } },
  },
});

const named = new URLSearchParams(location.search);
const url = named.get('url')!;
const frame = named.has('frame') ? (document.querySelector('iframe') as never) : null;
const { inspect } = createBrowserInspector({ url, iframe: frame });
const light = createActor(machine, { inspect });
light.subscribe(({ value }) => {
  document.querySelector('output')!.textContent = String(value);
});
light.start();
document.querySelector('button')!.addEventListener('click', () => light.send({ type: 'toggle' }));
