/** Severities that stop a build. */
const GRAVE = new Set(['high', 'critical']);

/** Hosts from which packages may come, where an entry says from where. */
const REGISTRIES = new Set(['registry.npmjs.org']);

/**
 * @typedef {{ id: string, package: string, severity: string, title: string }} Finding
 * @typedef {{ id: string, reason: string, until: string }} Excuse
 */

/**
 * The grave advisories of `npm audit --json`, each once; null when the registry gave no audit.
 * @param {{ vulnerabilities?: Record<string, { via?: (string | Record<string, unknown>)[] }> }} report
 * @returns {Finding[] | null}
 */
export function findingsOf({ vulnerabilities }) {
  if (vulnerabilities === undefined) return null;
  // A string names another package of the report, which has the advisory itself.
  const advisories = Object.values(vulnerabilities).flatMap(({ via = [] }) =>
    via.filter((one) => typeof one === 'object'),
  );
  const found = advisories
    .filter(({ severity }) => GRAVE.has(String(severity)))
    .map(({ url, source, name, severity, title }) => ({
      id: /GHSA-[\w-]+/.exec(String(url))?.[0] ?? String(source),
      ...{ package: String(name), severity: String(severity), title: String(title) },
    }));
  return [...new Map(found.map((finding) => [`${finding.id} ${finding.package}`, finding])).values()];
}

/**
 * @param {readonly Finding[]} findings
 * @param {readonly Excuse[]} excuses
 * @param {string} today as 2027-01-31; an excuse holds on its last day
 */
export function allowed(findings, excuses, today) {
  const holds = ({ reason, until }) => Boolean(reason?.trim()) && /^\d{4}-\d\d-\d\d$/.test(until) && until >= today;
  const valid = new Set(excuses.filter(holds).map(({ id }) => id));
  const found = new Set(findings.map(({ id }) => id));
  return {
    open: findings.filter(({ id }) => !valid.has(id)),
    excused: findings.filter(({ id }) => valid.has(id)),
    stale: excuses.filter((excuse) => !holds(excuse) || !found.has(excuse.id)),
  };
}

/**
 * What is wrong with a lock file: an installation must get the bytes that were chosen, or fail.
 * @param {{ lockfileVersion?: number, packages?: Record<string, Record<string, unknown>> }} lock
 * @returns {string[]}
 */
export function lockFaults({ lockfileVersion = 0, packages = {} }) {
  if (lockfileVersion < 2) return ['package-lock.json: is of an old form, which does not pin every package'];
  return Object.entries(packages).flatMap(([path, entry]) => (path === '' ? [] : faultsOf(path, entry)));
}

function faultsOf(path, { version, resolved, integrity, link, inBundle, optional }) {
  const faults = [];
  if (link) faults.push('is a link to a folder');
  if (typeof version !== 'string' && !link) faults.push('has no version');
  // npm writes no hash for optional packages of other platforms that it never fetched, and a bundled one comes inside another.
  if (integrity === undefined && !optional && !inBundle) faults.push('has no integrity');
  if (integrity !== undefined && !/^sha512-/.test(String(integrity))) faults.push('has a weak integrity');
  if (resolved !== undefined && !isFromRegistry(String(resolved))) faults.push(`comes from ${String(resolved)}`);
  return faults.map((fault) => `package-lock.json: ${path} ${fault}`);
}

function isFromRegistry(address) {
  return URL.canParse(address) && new URL(address).protocol === 'https:' && REGISTRIES.has(new URL(address).hostname);
}
