import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { parse } from 'yaml';
import { z } from 'zod';
import { Metrics } from '#platform';
import { findPromtool } from '../scripts/setup/promtool.mjs';
import { startApi, type TestApi } from './harness/api.ts';
import { TestCity } from './harness/city.ts';
import { redisUrl } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { describedIn, type Sample, samplesOf, type Selector, selectorsOf } from './harness/promql.ts';
import { startPublic, type TestPublic } from './harness/public.ts';

const ROOT = join(import.meta.dirname, '..');
const OPS = join(ROOT, 'ops');
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

/** Prometheus's own, of each process that it asks. */
const ITS_OWN = new Set(['up']);
/** Labels that Prometheus adds to whatever it reads. */
const ADDED = new Set(['job', 'instance']);

const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^[A-Z][A-Za-z]+$/),
          expr: z.string().min(1),
          for: z
            .string()
            .regex(/^\d+[smh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string().endsWith('.'), runbook: z.string() }),
        }),
      ),
    }),
  ),
});

const panelSchema = z.looseObject({
  id: z.int(),
  title: z.string().min(1),
  type: z.string(),
  description: z.string().optional(),
  targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).default([]),
});

const dashboardSchema = z.looseObject({ uid: z.string(), panels: z.array(panelSchema) });

const rules = rulesSchema.parse(parse(read('ops/prometheus/rules.yml'))).groups.flatMap((group) => group.rules);
const { panels } = dashboardSchema.parse(JSON.parse(read('ops/grafana/golden72.json')));

/** GitHub's anchor of each heading. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, words = '']) =>
      words
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the alarms and the dashboard', () => {
  let city: TestCity;
  let api: TestApi;
  let pages: TestPublic;
  let described: Set<string>;
  let samples: Sample[];

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } });
    const { url: databaseUrl } = city.source.options as { readonly url: string };
    api = await startApi({ databaseUrl, redisUrl: redisUrl() });
    pages = await startPublic(databaseUrl);
    await makeDevices(city.source, scatter(20, SHENZHEN, 900));
    await city.settled((await city.release()).alertId);
    await fetch(new URL('/healthz', api.url));
    const served = await Promise.all([city.worker, api.app, pages.app].map(textOf));
    described = new Set(served.flatMap((text) => [...describedIn(text)]));
    samples = served.flatMap(samplesOf);
  }, 60_000);

  afterAll(async () => {
    await pages?.close();
    await api?.close();
    await city?.close();
  });

  const textOf = (app: INestApplicationContext) => app.get(Metrics, { strict: false }).registry.metrics();

  /** Metrics that no process serves, or never with these labels. */
  const unserved = (selectors: readonly Selector[]) =>
    selectors.filter(({ metric, labels }) => {
      if (ITS_OWN.has(metric)) return false;
      const demanded = Object.entries(labels).filter(([name]) => !ADDED.has(name));
      const found = samples.filter((sample) => sample.metric === metric);
      const matching = found.some((sample) => demanded.every(([name, value]) => sample.labels[name] === value));
      return !described.has(metric) || (demanded.length > 0 && !matching);
    });

  it('ask for metrics that processes serve, with labels that they have', () => {
    expect(rules.length).toBeGreaterThan(20);
    for (const { alert, expr } of rules) {
      expect([alert, selectorsOf(expr).length]).not.toEqual([alert, 0]);
      expect([alert, unserved(selectorsOf(expr))]).toEqual([alert, []]);
    }
    for (const { title, targets } of panels) {
      for (const { expr } of targets) expect([title, unserved(selectorsOf(expr))]).toEqual([title, []]);
    }
  });

  it('leave no number of the ledger, the provider and the rounds unseen', () => {
    const asked = [
      ...rules.map(({ expr }) => expr),
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    const seen = new Set(asked.flatMap(selectorsOf).map(({ metric }) => metric));
    const ours = [...described].filter((name) => name.startsWith('golden72_') && !/_(bucket|sum|count)$/.test(name));
    expect(ours.filter((name) => !seen.has(name))).toEqual([]);
  });

  it('are as Prometheus takes them, and ring when they should', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const promtool = findPromtool(join(ROOT, '.local'));
    // Where it cannot be had the rules' form is what the schema above has parsed.
    if (promtool === undefined) return;
    const dir = join(OPS, 'prometheus');
    for (const what of [
      ['check', 'rules', join(dir, 'rules.yml')],
      ['check', 'config', join(dir, 'prometheus.yml')],
      ['test', 'rules', join(dir, 'rules.test.yml')],
    ]) {
      const { status, stdout, stderr } = spawnSync(promtool, what, { encoding: 'utf8' });
      expect([what, status, status === 0 ? '' : stdout + stderr]).toEqual([what, 0, '']);
    }
  });

  it('have a section each in the runbook: what it means, where to look, what to do', () => {
    const runbook = read('docs/RUNBOOK.md');
    const anchors = anchorsOf(runbook);
    for (const { alert, annotations } of rules) {
      expect(annotations.runbook).toBe(`docs/RUNBOOK.md#${alert.toLowerCase()}`);
      expect(anchors).toContain(alert.toLowerCase());
    }
    const alarms = runbook.slice(runbook.indexOf('\n## Alarms\n'));
    const sections = alarms
      .split(/^### /m)
      .slice(1)
      .map((section) => section.split('\n', 1)[0]);
    expect(sections.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  it('have panels with an id each, and a word on what they show', () => {
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, description, targets } of panels) {
      if (type === 'row') continue;
      expect([title, (description ?? '').length > 10, targets.length > 0]).toEqual([title, true, true]);
    }
  });
});
