import type { Outcome, Scenario } from './scenario.ts';
import { PACE, type Setting } from './setting.ts';
import { type Run, Stage } from './stage.ts';
import type { Told } from './report.ts';

/** Runs scenarios one after the other, on one stage as long as it serves them and none has left it in pieces. */
export async function runAll(run: Run, scenarios: readonly Scenario[]): Promise<Told[]> {
  const told: Told[] = [];
  let stage: Stage | undefined;
  try {
    for (const scenario of scenarios) {
      const began = Date.now();
      run.say(`${scenario.name} …`);
      stage = await stageFor(run, { ...PACE, ...scenario.setting }, stage);
      const outcome = await attempt(stage, scenario);
      told.push({ name: scenario.name, ...outcome });
      const took = Math.round((Date.now() - began) / 1000);
      run.say(outcome.ok ? `  ok, ${took} s` : `  NOT OK, ${took} s:\n    ${outcome.why?.join('\n    ') ?? ''}`);
      if (outcome.ok && scenario.spoils !== true) continue;
      await stage.close();
      stage = undefined;
    }
  } finally {
    await stage?.close();
  }
  return told;
}

async function stageFor(run: Run, setting: Setting, stage: Stage | undefined): Promise<Stage> {
  if (stage && stage.setting.quotaPerMinute === setting.quotaPerMinute && stage.setting.workers === setting.workers) {
    await stage.refresh();
    return stage;
  }
  await stage?.close();
  return Stage.open(run, setting);
}

/** What a scenario could not even find out is a promise not shown to be kept. */
async function attempt(stage: Stage, scenario: Scenario): Promise<Outcome> {
  try {
    return await scenario.run(stage);
  } catch (error) {
    stage.run.stop.throwIfAborted();
    const why = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    return { targeted: 0, lost: 0, duplicates: 0, bound: 0, recoveredMs: null, ok: false, why };
  }
}
