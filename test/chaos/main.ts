import { parseArgs } from 'node:util';
import { tableOf } from './report.ts';
import { runAll } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Run } from './stage.ts';
import { runInWorld } from './world.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    patience: { type: 'string', default: '1' },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

if (values.list) {
  for (const { name, breaks, short } of SCENARIOS) console.log(`${name.padEnd(28)}${breaks}${short ? ' (short)' : ''}`);
  process.exit(0);
}
const chosen = choose();
const patience = Number(values.patience);
if (!(patience >= 1)) {
  say('--patience is a number of at least 1.');
  process.exit(1);
}

function choose(): readonly Scenario[] {
  if (positionals.length > 0) return positionals.map(scenarioOf);
  return SCENARIOS.filter(({ short = false }) => short || !values.short);
}

function scenarioOf(given: string): Scenario {
  const scenario = SCENARIOS.find(({ name }) => name === given);
  if (scenario) return scenario;
  say(`There is no scenario ${given}: see --list.`);
  return process.exit(1);
}

process.exitCode = await runInWorld({ name: values.short ? 'chaos-short' : 'chaos', patience, say }, report);

async function report(run: Run): Promise<number> {
  const told = await runAll(run, chosen);
  say(tableOf(told));
  console.log(JSON.stringify({ scenarios: told }));
  return told.every(({ ok }) => ok) ? 0 : 1;
}
