import type { MachineModule } from '../../verification/check/machine.ts';

interface Event {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A machine of another project, and the facts to declare before it can be checked. */
export interface Example extends Omit<MachineModule, 'events'> {
  /** The module, in a checkout of the repository. */
  readonly file: string;
  /** Which of the machines that it makes. Default: the last. */
  readonly index?: number;
  /** Modules that it imports, and that are left out: their code has no part in the machine. */
  readonly without?: readonly string[];
  /** As `MachineModule.events`. */
  readonly events?: readonly (Event | { readonly event: Event; readonly times: number })[];
  /** The properties that it violates. Default: none. */
  readonly violates?: readonly string[];
  /** The code of its refusal: the checker is right to refuse it. Default: it is checked. */
  readonly refused?: string;
}

/** The commit of statelyai/xstate that the list was written for. */
export const commit = 'b1811bf77bc2d1a74367328cec7907aa185b70df';

const done = { done: [undefined] } as const;
const times = (count: number, ...types: readonly string[]) =>
  types.map((type) => ({ event: { type }, times: count }));

const neverEnds = 'ends only in final states';
const fails = 'no machine fails';
const loses = 'no event is lost';

/** The machines of the examples and templates of the XState repository. */
export const examples: readonly Example[] = [
  { file: 'examples/7guis-1-counter-vue/src/counterMachine.ts', events: times(5, 'increase') },
  {
    file: 'examples/7guis-2-temperature-vue/src/tempMachine.ts',
    events: ['', '20', '-4.5', 'warm'].flatMap((value) => [
      { type: 'changeC', value },
      { type: 'changeF', value },
    ]),
  },
  { file: 'examples/7guis-counter-react/src/counterMachine.ts', events: times(5, 'INCREMENT') },
  {
    file: 'examples/7guis-flight-booker-react/src/machines/flightMachine.ts',
    outcomes: { Booker: { done: [undefined], error: [new Error('sold out')] } },
    events: [
      { type: 'BOOK_DEPART' },
      { type: 'BOOK_RETURN' },
      { type: 'CHANGE_TRIP_TYPE' },
      ...['2000-01-01', '2100-01-01', '2100-02-01'].flatMap((value) => [
        { type: 'CHANGE_DEPART_DATE', value },
        { type: 'CHANGE_RETURN_DATE', value },
      ]),
    ],
  },
  {
    file: 'examples/7guis-temperature-react/src/temperatureMachine.ts',
    events: ['', '20', 'warm'].flatMap((value) => [
      { type: 'CELSIUS', value },
      { type: 'FAHRENHEIT', value },
    ]),
  },
  { file: 'examples/counter/src/counterMachine.ts', events: times(4, 'increment', 'decrement') },
  { file: 'examples/express-workflow/machine.ts', events: times(9, 'TIMER') },
  {
    file: 'examples/fetch/src/fetchMachine.ts',
    violates: [neverEnds],
    without: ['.'],
    outcomes: { fetchUser: { done: [{ greeting: 'Hello' }], error: [new Error('offline')] } },
  },
  {
    file: 'examples/friends-list-react/src/friendMachine.ts',
    violates: [fails],
    input: { name: 'Ann' },
    outcomes: { saveUser: { done: [true], error: [new Error('offline')] } },
    events: [
      { type: 'EDIT' },
      { type: 'SAVE' },
      { type: 'CANCEL' },
      { type: 'SET_NAME', value: '' },
      { type: 'SET_NAME', value: 'Bob' },
    ],
  },
  {
    file: 'examples/friends-list-react/src/friendsMachine.ts',
    outcomes: { saveUser: done },
    chance: { 'Math.random': [0.25, 0.75] },
    events: [
      { type: 'NEW_FRIEND.CHANGE', name: 'Ann' },
      { event: { type: 'FRIENDS.ADD', name: 'Ann' }, times: 2 },
      { type: 'FRIENDS.ADD', name: ' ' },
      { type: 'FRIEND.REMOVE', index: 0 },
      { type: 'FRIEND.REMOVE', index: 1 },
    ],
  },
  {
    file: 'examples/mongodb-credit-check-api/machine.ts',
    violates: [fails, neverEnds],
    outcomes: {
      checkBureau: { done: [700], error: [new Error('offline')] },
      checkReportsTable: { done: [{ creditScore: 700 }, undefined], error: [new Error('offline')] },
      verifyCredentials: {
        done: [{ SSN: '1', firstName: 'Ann', lastName: 'Lee' }],
        error: [new Error('unknown')],
      },
      determineMiddleScore: { done: [700], error: [new Error('no scores')] },
      generateInterestRates: { done: [4] },
    },
    events: [{ type: 'Submit', SSN: '1', firstName: 'Ann', lastName: 'Lee' }],
  },
  { file: 'examples/mongodb-persisted-state/donutMachine.ts' },
  { file: 'examples/persisted-donut-maker/donutMachine.ts' },
  {
    file: 'examples/snake-react/src/snakeMachine.ts',
    outcomes: { ticks: { sends: [{ type: 'TICK' }], times: 8 } },
    chance: { 'Math.random': [0, 0.5] },
    events: [
      ...['Up', 'Down', 'Left', 'Right'].map((dir) => ({ event: { type: 'ARROW_KEY', dir }, times: 1 })),
      { event: { type: 'NEW_GAME' }, times: 1 },
    ],
  },
  {
    file: 'examples/stopwatch/src/stopwatchMachine.ts',
    outcomes: { ticks: { sends: [{ type: 'TICK' }], times: 3 } },
    events: [{ event: { type: 'start' }, times: 2 }, { type: 'stop' }, { type: 'reset' }],
  },
  {
    file: 'examples/tic-tac-toe-react/src/ticTacToeMachine.ts',
    events: [...Array.from({ length: 9 }, (_, value) => ({ type: 'PLAY', value })), { type: 'RESET' }],
  },
  {
    file: 'examples/tiles/src/tilesMachine.ts',
    violates: [fails, 'reaches gameOver'],
    chance: { 'Math.random': [0.5] },
    events: [
      { type: 'shuffle' },
      { type: 'tile.select', tile: { index: 0, x: 0, y: 0 } },
      { type: 'tile.hover', tile: { index: 1, x: 1, y: 0 } },
      { type: 'tile.move' },
      { type: 'move.canceled' },
    ],
  },
  {
    file: 'examples/timer/src/timerMachine.ts',
    outcomes: { ticks: { sends: [{ type: 'TICK' }] } },
    events: [
      { type: 'start' },
      { type: 'stop' },
      { type: 'reset' },
      ...times(1, 'minute'),
      ...times(2, 'second'),
    ],
  },
  {
    file: 'examples/todomvc-react/src/Todo.tsx',
    index: 0,
    without: ['./App'],
    input: { todo: { id: '1', title: 'Learn', completed: false } },
    events: [
      { type: 'edit' },
      { type: 'blur' },
      { type: 'cancel' },
      { type: 'change', value: '' },
      { type: 'change', value: 'Sleep' },
    ],
  },
  {
    file: 'examples/todomvc-react/src/todosMachine.ts',
    chance: { 'Math.random': [0.25] },
    events: [
      { type: 'newTodo.change', value: 'Sleep' },
      { event: { type: 'newTodo.commit', value: 'Sleep' }, times: 1 },
      { type: 'newTodo.commit', value: ' ' },
      { type: 'todo.commit', todo: { id: '1', title: 'Read', completed: true } },
      { type: 'todo.commit', todo: { id: '1', title: '', completed: true } },
      { type: 'todo.delete', id: '1' },
      { type: 'filter.change', filter: 'active' },
      { type: 'todo.mark', id: '1', mark: 'completed' },
      { type: 'todo.markAll', mark: 'active' },
      { type: 'todos.clearCompleted' },
    ],
  },
  { file: 'examples/toggle/src/toggleMachine.ts' },
  {
    file: 'examples/trivia-game-example/src/triviaMachine.ts',
    violates: [fails, neverEnds],
    outcomes: {
      loadHomePageCharacters: { done: [[{ id: 1 }]], error: [new Error('offline')] },
      loadSingleCharacter: { done: [{ id: 1 }], error: [new Error('offline')] },
      loadRandomCharacters: { done: [[{ id: 2 }]], error: [new Error('offline')] },
    },
    events: [
      { type: 'user.play' },
      { type: 'user.close' },
      { type: 'user.reject' },
      { type: 'user.accept' },
      { type: 'user.selectAnswer', answer: 1 },
      { type: 'user.selectAnswer', answer: 2 },
      { type: 'user.nextQuestion' },
      { type: 'user.toggleClue' },
      { type: 'user.playAgain' },
    ],
  },
  {
    file: 'examples/workflow-accumulate-room-readings/main.ts',
    outcomes: { produceReport: done },
    events: [
      { type: 'TemperatureEvent', roomId: 'kitchen', temperature: 20 },
      { type: 'HumidityEvent', roomId: 'kitchen', humidity: 50 },
    ],
  },
  {
    file: 'examples/workflow-applicant-request/main.ts',
    input: { applicant: { fname: 'John', lname: 'Stockton', age: 22, email: 'js@something.com' } },
    outcomes: {
      startApplicationWorkflowId: { done: [undefined], error: [new Error('offline')] },
      sendRejectionEmailFunction: done,
    },
  },
  {
    file: 'examples/workflow-async-function/main.ts',
    input: { customer: 'david' },
    outcomes: { sendEmail: done },
  },
  {
    file: 'examples/workflow-async-subflow/main.ts',
    index: 0,
    outcomes: { prompt: { done: [{ response: 'Ann' }] } },
  },
  { file: 'examples/workflow-async-subflow/main.ts', outcomes: { prompt: { done: [{ response: 'Ann' }] } } },
  {
    file: 'examples/workflow-book-lending/main.ts',
    // Its delay `PT2W` stands for nothing, so XState fires the timer of two weeks at once.
    refused: 'SYSTEM_INVALID',
    outcomes: {
      'Get status for book': { done: [{ status: 'available' }, { status: 'onloan' }, { status: 'unknown' }] },
      'Send status to lender': done,
      'Request hold for lender': done,
      'Cancel hold request for lender': done,
      'Check out book with id': done,
      'Notify Lender for checkout': done,
    },
    events: [
      { type: 'bookLendingRequest', book: { title: 'Guide', id: '42' }, lender: { name: 'John' } },
      { type: 'holdBook' },
      { type: 'declineBookhold' },
    ],
  },
  {
    file: 'examples/workflow-car-auction-bids/main.ts',
    violates: [fails],
    events: [1, 2].map((amount) => ({
      event: { type: 'CarBidEvent', bid: { carid: 'car', amount, bidder: { id: `${amount}` } } },
      times: 2,
    })),
  },
  {
    file: 'examples/workflow-car-vitals/main.ts',
    index: 0,
    outcomes: Object.fromEntries(
      ['TirePressure', 'OilPressure', 'CoolantLevel', 'Battery'].map((name) => [
        `check${name}`,
        { done: [{ value: 100 }] },
      ]),
    ),
  },
  {
    file: 'examples/workflow-car-vitals/main.ts',
    outcomes: Object.fromEntries(
      ['TirePressure', 'OilPressure', 'CoolantLevel', 'Battery'].map((name) => [
        `check${name}`,
        { done: [{ value: 100 }] },
      ]),
    ),
  },
  {
    file: 'examples/workflow-check-inbox/main.ts',
    violates: [loses],
    outcomes: {
      schedule: { sends: [{ type: 'reminder' }] },
      checkInboxFunction: { done: [[{ subject: 'Hello', priority: 'high' }], []] },
      sendTextsFunction: { done: [{ status: 'success' }] },
    },
  },
  {
    file: 'examples/workflow-credit-check/main.ts',
    violates: [neverEnds],
    input: { customer: { id: 'customer123' } },
    outcomes: {
      callCreditCheckMicroservice: { done: [{ decision: 'Approved' }, { decision: 'Denied' }] },
      startApplicationWorkflowId: done,
      sendRejectionEmailFunction: done,
    },
  },
  {
    file: 'examples/workflow-event-based-service/main.ts',
    outcomes: { MakeAppointmentAction: { done: [{ appointmentInfo: { appointmentId: '1234' } }] } },
    events: [{ type: 'MakeVetAppointment', patientInfo: { name: 'Jenny', pet: 'Ato', reason: 'checkup' } }],
  },
  {
    file: 'examples/workflow-event-based/main.ts',
    outcomes: {
      handleApprovedVisaWorkflowID: done,
      handleRejectedVisaWorkflowID: done,
      handleNoVisaDecisionWorkflowId: done,
    },
  },
  {
    file: 'examples/workflow-event-greeting/main.ts',
    outcomes: { greetingFunction: { done: [{ greeting: 'Hello' }] } },
    events: [{ type: 'greet', greet: { name: 'Jenny' } }],
  },
  { file: 'examples/workflow-filling-water/main.ts', input: { current: 0, max: 10 } },
  {
    file: 'examples/workflow-finalize-college-app/main.ts',
    input: { applicantId: '123' },
    outcomes: { finalizeApplicationFunction: { done: [{ applicantId: '123' }] } },
  },
  {
    file: 'examples/workflow-greeting/main.ts',
    input: { person: { name: 'Jenny' } },
    outcomes: { greetingFunction: { done: [{ greeting: 'Hello' }] } },
  },
  { file: 'examples/workflow-hello/main.ts' },
  {
    file: 'examples/workflow-math-problem/main.ts',
    input: { expressions: ['2+2'] },
    outcomes: { batchMathFunction: { done: [[{ problem: '2+2', result: '4' }]] } },
  },
  {
    file: 'examples/workflow-media-scanner/src/mediaScannerMachine.ts',
    violates: [fails, neverEnds],
    input: { basePath: '/a', destinationPath: '/b' },
    outcomes: {
      scanLibrary: { done: [['/a/1']], error: [new Error('missing')] },
      checkFilePermissions: {
        done: [{ dirsToEvaluate: ['/a/1'], dirsToReport: [] }],
        error: [{ dirsToReport: ['/a/1'] }],
      },
      evaluateFiles: { done: [{ dirsToMove: ['/a/1'] }], error: [new Error('unreadable')] },
      moveFiles: { done: [undefined], error: [new Error('full')] },
    },
  },
  {
    file: 'examples/workflow-monitor-job/main.ts',
    input: { job: { name: 'job1' } },
    outcomes: {
      submitJob: { done: [{ jobuid: '123' }] },
      checkJobStatus: {
        done: [{ jobStatus: 'SUCCEEDED' }, { jobStatus: 'FAILED' }, { jobStatus: undefined }],
      },
      reportJobSucceeded: done,
      reportJobFailed: done,
    },
  },
  { file: 'examples/workflow-monitor-patient/main.ts', input: { patientId: 'patient1' } },
  {
    file: 'examples/workflow-new-patient-onboarding/main.ts',
    outcomes: {
      StoreNewPatientInfo: { done: [undefined], error: [{ type: 'ServiceNotAvailable' }] },
      AssignDoctor: { done: [undefined], error: [{ type: 'ServiceNotAvailable' }] },
      ScheduleAppt: { done: [undefined], error: [{ type: 'ServiceNotAvailable' }] },
    },
    events: [{ type: 'NewPatientEvent', name: 'John', condition: 'Broken arm' }],
  },
  { file: 'examples/workflow-parallel/main.ts', outcomes: { shortDelay: done, longDelay: done } },
  {
    file: 'examples/workflow-provision-orders/main.ts',
    input: { order: { id: '', item: 'laptop', quantity: '10' } },
    outcomes: {
      provisionOrderFunction: {
        done: [undefined],
        error: ['id', 'item', 'quantity'].map((field) => new Error(`Missing order ${field}`)),
      },
      applyOrderWorkflowId: done,
      handleMissingIdExceptionWorkflow: done,
      handleMissingItemExceptionWorkflow: done,
      handleMissingQuantityExceptionWorkflow: done,
    },
  },
  { file: 'examples/workflow-purchase-order-deadline/main.ts', outcomes: { CancelOrder: done } },
  ...[[fails, neverEnds, 'reaches End'], [loses]].map((violates, index) => ({
    file: 'examples/workflow-reusing-functions/main.ts',
    index,
    violates,
    outcomes: {
      checkfunds: { done: [{ available: true }, { available: false }] },
      sendSuccessEmail: done,
      sendInsufficientFundsEmail: done,
    },
    events: [
      {
        type: 'PaymentReceivedEvent',
        accountId: '1234',
        payment: { amount: 100 },
        customer: { name: 'John' },
        funds: { available: true },
      },
    ],
  })),
  {
    file: 'examples/workflow-send-cloudevent/main.ts',
    input: { orders: [{ id: '123', item: 'laptop', quantity: '10' }] },
    outcomes: { provisionOrdersFunction: { done: [[{ id: '123', outcome: 'SUCCESS' }]] } },
  },
  ...['react-ts', 'svelte-ts', 'vanilla-ts', 'vue-ts'].map((template) => ({
    file: `templates/${template}/src/feedbackMachine.ts`,
    events: [
      { type: 'feedback.good' },
      { type: 'feedback.bad' },
      { type: 'feedback.update', value: '' },
      { type: 'feedback.update', value: 'fine' },
      { type: 'submit' },
      { type: 'close' },
      { type: 'back' },
      { type: 'restart' },
    ],
  })),
];
