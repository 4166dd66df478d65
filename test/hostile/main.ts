import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startProcesses } from './processes.ts';
import { besiege, type Report } from './siege.ts';
import { makeWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    verbose: { type: 'boolean', default: false },
  },
});
const requests = whole('requests', values.requests);
const seed = whole('seed', values.seed);
const root = join(import.meta.dirname, '../..');
const say = (line: string) => process.stderr.write(`${line}\n`);

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  say(`--${name} is a whole number.`);
  return process.exit(1);
}

const began = Date.now();
let told = 0;
function progress(done: number, { faults, examples }: Report): void {
  tell(examples.slice(told));
  told = examples.length;
  if (done % 5_000 >= 1_000 && done < requests) return;
  const found = Object.values(faults).reduce((sum, each) => sum + each, 0);
  const rate = Math.round((done * 1_000) / (Date.now() - began));
  say(`  ${done} of ${requests} requests, ${rate} a second, ${found} findings`);
}

const log = join(root, '.local/hostile.log');
const { DATABASE_URL: databaseUrl = '', REDIS_URL: redisUrl = '' } = process.env;
say(`Attacking with ${requests} requests; --seed ${seed} makes the same again. The processes log to ${log}.`);
const running = await startProcesses({ root, databaseUrl, redisUrl, log });
try {
  const world = await makeWorld(running.apiUrl, { ...process.env, ...running.env });
  const secrets = { 'the secret key': running.env['SECRET_KEY'] ?? '', 'the database’s address': databaseUrl };
  const report = await besiege(world, { requests, seed, publicUrl: running.publicUrl, secrets, progress });
  await world.close();
  conclude(report);
} finally {
  await running.close();
}

function tell(examples: Report['examples']): void {
  for (const { finding, route, attack } of examples)
    say(`\n${finding.fault}: ${finding.what}\n  ${route}\n  ${attack}`);
}

function conclude({ requests: sent, routes, faults, examples, statuses }: Report): void {
  if (values.verbose)
    for (const [route, by] of statuses) say(`${route}: ${[...by].map(([status, n]) => `${status}×${n}`).join(' ')}`);
  if (faults.malformed > 0) say(`${faults.malformed} refusals were not problem documents.`);
  if (examples.length > 0) say(tail(log));
  const { fiveHundred: fiveHundreds, crossAgencyRead: crossAgencyReads, leak: leaks } = faults;
  console.log(JSON.stringify({ requests: sent, routes, fiveHundreds, crossAgencyReads, leaks }));
  process.exitCode = Object.values(faults).some((each) => each > 0) ? 1 : 0;
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}
