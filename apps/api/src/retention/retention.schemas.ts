import { z } from 'zod';
import { RETENTION_STEPS, type RetentionReport, type StepStanding } from '#outcomes';
import { uuid } from '../schemas/common.ts';

const kept = z.object({
  kept: z.int(),
  due: z.int().describe('Of those, whose time is over: they go within the hour.'),
  overdue: z.int().describe('Of those, whose time has been over for more than a day: something is wrong.'),
  nextAt: z.iso.datetime().nullable().describe('When the next one goes.'),
});

const stepStanding = z.object({
  step: z.enum(RETENTION_STEPS),
  what: z.string().describe('What goes.'),
  days: z.int().nullable().describe('Days after `from`; null is the agency’s own.'),
  from: z.string(),
  ranAt: z.iso.datetime().nullable().describe('When it last ended well.'),
  forgotten: z.int().describe('How much it forgot then.'),
  failedAt: z.iso.datetime().nullable().describe('When it last failed, if that was later.'),
  late: z.boolean().describe('It should have run since.'),
});

export const retentionAnswer = z.object({
  agencyId: uuid,
  retentionDays: z.int().describe('Days that the agency keeps a case after its closing.'),
  cases: kept,
  recipients: kept.describe('Alerts of which it is still known whom they asked.'),
  steps: z.array(stepStanding),
});

export function viewOf(report: RetentionReport): z.input<typeof retentionAnswer> {
  const { agencyId, retentionDays, cases, recipients, steps } = report;
  return {
    ...{ agencyId, retentionDays },
    cases: viewOfKept(cases),
    recipients: viewOfKept(recipients),
    steps: steps.map(viewOfStep),
  };
}

function viewOfKept({ kept: all, due, overdue, nextAt }: RetentionReport['cases']): z.input<typeof kept> {
  return { kept: all, due, overdue, nextAt: instantOf(nextAt) };
}

function viewOfStep({ ranAt, failedAt, ...step }: StepStanding): z.input<typeof stepStanding> {
  return { ...step, ranAt: instantOf(ranAt), failedAt: instantOf(failedAt) };
}

const instantOf = (date: Date | null) => date?.toISOString() ?? null;
