export type {
  AlertFunnel,
  Asked,
  Delay,
  Forwarded,
  Funnel,
  Reached,
  SightingCounts,
  Times,
  WithheldCounts,
} from './funnel.ts';
export { Funnels } from './funnel.service.ts';
export { OutcomesModule } from './outcomes.module.ts';
export { RETENTION_STEPS, type RetentionReport, type RetentionStep, type StepStanding } from './retention.ts';
export { Retention } from './retention.service.ts';
