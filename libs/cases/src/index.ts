export type { Case } from './case.entity.ts';
export { type CaseRefusal, caseErased, caseNotFound } from './case.errors.ts';
export { CaseKey } from './case-key.ts';
export { CaseKeys } from './case-keys.service.ts';
export { CasePhoto } from './case-photo.entity.ts';
export { CasePhotos } from './case-photos.service.ts';
export { CaseReads, type ReadCase, type ReadOf } from './case-reads.service.ts';
export type { KeptCases } from './case.repository.ts';
export { CASE_STATES, type CaseAct, type CaseState } from './case-states.ts';
export { type CaseRead, Cases, type CaseStanding } from './case.service.ts';
export {
  CASE_TYPES,
  type CaseContents,
  type CaseDetails,
  type CaseInput,
  type CaseType,
  CAUSES,
  type Cause,
  type Closing,
  CONSENTS,
  type Consent,
  type HarmCheck,
  type LastSeen,
  OUTCOMES,
  type Outcome,
  PUBLICITIES,
  type Publicity,
} from './case.types.ts';
export { CasesModule } from './cases.module.ts';
export { Conflicts } from './conflicts.service.ts';
