import { expect, it } from '@jest/globals';
import { stdSerializers } from 'pino';
import { QueryFailedError } from 'typeorm';
import { describeError } from './log-error.ts';

const CANARY = 'canary-7f3a';
const described = (error: Error) => describeError(stdSerializers.err(error));

const fault = Object.assign(new Error(`invalid input syntax for type uuid: "${CANARY}"`), {
  severity: 'ERROR',
  code: '22P02',
  detail: `Key (name)=(${CANARY}) already exists.`,
  table: 'officers',
  constraint: 'officers_login',
});

it.each([
  ['alone', fault],
  ['from TypeORM', new QueryFailedError(`SELECT '${CANARY}'`, [CANARY], fault)],
  [
    'as a cause',
    new Error('the wave could not be taken', { cause: new QueryFailedError('SELECT $1', [CANARY], fault) }),
  ],
])('keeps no value of a database error %s', (_, error) => {
  const line = described(error);
  expect(JSON.stringify(line)).not.toContain(CANARY);
  expect(line).toMatchObject({ code: '22P02', table: 'officers', constraint: 'officers_login' });
  expect(line['stack']).toContain('log-error.spec.ts');
});

it('keeps the words of any other error', () => {
  const error = Object.assign(new TypeError('x is not a function'), { code: 'E', secret: CANARY });
  expect(described(error)).toMatchObject({ type: 'TypeError', message: 'x is not a function', code: 'E' });
  expect(JSON.stringify(described(error))).not.toContain(CANARY);
});
