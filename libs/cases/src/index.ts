export { Case } from './case.entity.ts';
export { type CaseRefusal, caseNotFound } from './case.errors.ts';
export { CasePhoto } from './case-photo.entity.ts';
export { CASE_STATES, type CaseAct, type CaseState } from './case-states.ts';
export { Cases } from './case.service.ts';
export {
  CASE_TYPES,
  type CaseDetails,
  type CaseInput,
  type CaseType,
  CAUSES,
  type Cause,
  type Closing,
  type LastSeen,
  OUTCOMES,
  type Outcome,
} from './case.types.ts';
export { CasesModule } from './cases.module.ts';
