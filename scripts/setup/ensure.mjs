import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { hasEngine } from './containers.mjs';
import { checkOwnNode, checkProjectNode, installPackages, packagesAreCurrent } from './packages.mjs';
import { findBrowser, findPostgres, findRedis, hasChineseFont } from './programs.mjs';
import { takeTurn } from './purpose.mjs';
import { say, step } from './say.mjs';
import { SetupError } from './setup-error.mjs';
import { advice, aptAccess, aptPackages, installSystemPackages } from './system-packages.mjs';

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs what is missing; returns at once when nothing is.
 * @param {{ root: string, local: string, stop: AbortSignal, servers?: boolean, browser?: boolean, env?: NodeJS.ProcessEnv }} what
 *   servers: PostgreSQL and Redis will be started, unless the environment names them; browser: a browser to test with
 */
export async function ensure(what) {
  checkOwnNode();
  if (plan(what).length > 0) {
    const done = await takeTurn(
      join(what.local, 'setup.json'),
      (pid) => say(`Process ${pid} is installing already; waiting for it.`),
      what.stop,
    );
    try {
      await carryOut(plan(what));
    } finally {
      done();
    }
  }
  checkProjectNode(what.root);
}

/** The steps still to do, each with what it installs, where, and how long that takes on a usual connection. */
function plan({ root, local, stop, servers = true, browser = false, env = process.env }) {
  const steps = [];
  if (!packagesAreCurrent(root))
    steps.push({
      label: 'npm packages',
      detail: `npm packages, Node 24 among them, into ${join(root, 'node_modules')}: about a minute`,
      work: () => installPackages({ root, local, stop }),
    });
  const system = systemStep(missingPrograms({ servers, browser, env }), { local, stop });
  return system ? [...steps, system] : steps;
}

function missingPrograms({ servers, browser, env }) {
  return {
    postgres: servers && !env.DATABASE_URL && !findPostgres(),
    redis: servers && !env.REDIS_URL && !findRedis(),
    browser: browser && !findBrowser(),
    font: browser && !hasChineseFont(),
  };
}

function systemStep(missing, { local, stop }) {
  const anything = Object.values(missing).some(Boolean);
  const access = anything || policyWasLeft() ? aptAccess() : undefined;
  if (!anything)
    return (
      access && {
        label: 'tidying',
        detail: `${POLICY}, left by an install that was cut off, goes`,
        work: () => installSystemPackages([], { local, stop, access }),
      }
    );
  if (access) return aptStep(aptPackages(missing), { local, stop, access });
  if (!missing.browser && !missing.font && hasEngine()) return undefined;
  throw new SetupError(advice(missing));
}

const aptStep = (names, place) => ({
  label: `apt: ${names.join(' ')}`,
  detail: `Debian packages ${names.join(', ')} into the system by apt, starting no service: one to two minutes`,
  work: () => installSystemPackages(names, place),
});

/** A policy against starting services must not outlive the install it was made for. */
function policyWasLeft() {
  try {
    return readFileSync(POLICY, 'utf8').includes('Temporary file of Golden72');
  } catch {
    return false;
  }
}

/** npm and apt do not depend on each other, and both mostly wait for the network. */
async function carryOut(steps) {
  if (steps.length === 0) return;
  say(
    ['Golden72 installs what is missing, all at the same time:', ...steps.map(({ detail }) => `  ${detail}`)].join(
      '\n',
    ),
  );
  const results = await Promise.allSettled(steps.map(({ label, work }) => step(label, work)));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}
