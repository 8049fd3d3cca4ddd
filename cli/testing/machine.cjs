const { createMachine } = require('xstate');

const work = { id: 'work', src: 'work', onDone: 'done', onError: 'done' };

module.exports = {
  machine: createMachine({
    id: 'commonjs',
    initial: 'working',
    states: { working: { invoke: work }, done: { type: 'final' } },
  }),
  outcomes: { work: { done: [1], error: ['broken'] } },
};
