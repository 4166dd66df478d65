import type { City } from './city.ts';
import type { NightReport } from './night.ts';
import type { DemoOptions } from './options.ts';

const percent = (part: number, whole: number) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)}%`);
const seconds = (ms: number | null) => (ms === null ? '–' : `${(ms / 1000).toFixed(2)} s`);

/**
 * Prints the night in numbers a person can read, the checks with both sides, and last the books as one line of JSON.
 * @returns whether every check holds.
 */
export function summarise({ books, checks, slug }: NightReport, city: City, options: DemoOptions): boolean {
  const balanced = checks.every(({ left, right }) => left === right);
  const reached = books.accepted;
  const lines = [
    '',
    'The night in numbers',
    `  phones within 120 km   ${books.oracleAudience}   withheld at their owners’ wish ${books.withheld}`,
    `  asked                  ${books.targeted}   accepted ${books.accepted}, dead tokens ${books.unregistered}`,
    `  first push             ${seconds(books.firstPushMs)} after approval, last ${seconds(books.lastPushMs)}`,
    `  received               ${books.received}   ${percent(books.received, reached)} of accepted`,
    `  opened                 ${books.opened}   ${percent(books.opened, books.received)} of received`,
    `  sent on                ${books.forwards}   links, ${books.views} views by them`,
    `  tips                   ${books.sightings}`,
    `  told how it ended      ${books.foundAccepted} of ${books.foundTargeted}`,
    '',
    balanced ? 'The books balance' : 'THE BOOKS DO NOT BALANCE',
    ...checks.map(
      ({ rule, left, right }) =>
        `  ${left === right ? '✓' : '✗'} ${rule}: ${left} ${left === right ? '=' : '≠'} ${right}`,
    ),
    '',
    ...(options.once ? [] : [`It stays up until Ctrl-C. The ended alert’s page: ${city.publicPage}/a/${slug}`, '']),
  ];
  console.log(lines.join('\n'));
  console.log(JSON.stringify(books));
  return balanced;
}
