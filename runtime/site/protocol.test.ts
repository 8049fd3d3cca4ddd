import { expect, test } from 'vitest';
import { guestLayout } from '../guest/protocol.ts';
import { foundingLayout, membersLayout, messageLayout, vocabulary } from './protocol.ts';

test('no two parts of the vocabulary have a message of one type', () => {
  const types = [messageLayout, foundingLayout, membersLayout, guestLayout].flatMap((part) =>
    Object.keys(part),
  );
  expect(Object.keys(vocabulary)).toEqual(types);
});
