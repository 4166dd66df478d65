import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Metrics } from './metrics.ts';

describe('metrics', () => {
  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  afterAll(() => {
    Logger.overrideLogger(true);
  });

  it('are read when they are asked for, several from one question', async () => {
    const metrics = new Metrics();
    let asked = 0;
    let here = 1;
    metrics.gauge('golden72_here', 'Here.', [], () => here);
    metrics.gauges('elsewhere', async () => ({ n: ++asked }), [
      { name: 'golden72_one', help: 'One.', of: ({ n }) => n },
      { name: 'golden72_two', help: 'Two.', labels: ['side'], of: ({ n }) => [[{ side: 'left' }, n * 2]] },
    ]);
    here = 5;
    const text = await metrics.registry.metrics();
    expect(text).toContain('\ngolden72_here 5\n');
    expect(text).toContain('\ngolden72_one 1\n');
    expect(text).toContain('\ngolden72_two{side="left"} 2\n');
    expect(asked).toBe(1);
  });

  it('leave out what cannot be read, and say that they do', async () => {
    const metrics = new Metrics();
    metrics.gauges('elsewhere', () => Promise.reject(new Error('away')), [
      { name: 'golden72_lost', help: 'Lost.', of: () => 1 },
    ]);
    expect(await metrics.registry.metrics()).not.toMatch(/^golden72_lost /m);
    expect(await metrics.registry.metrics()).toContain('golden72_readings_failed_total{source="elsewhere"} 1');
  });
});
