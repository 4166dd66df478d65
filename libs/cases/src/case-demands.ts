import { Refusal } from '#platform';
import type { CaseRefusal } from './case.errors.ts';
import type { HarmCheck } from './case.types.ts';

/**
 * Demands that whoever submits a case has asked what an alert could do to this child.
 * @throws Refusal `consent_missing`, `custody_unchecked`, `publicity_unanswered`
 */
export function demandAnswers({ consent, custodyOrderChecked, publicity }: HarmCheck): void {
  if (!consent || (consent.given === 'none' && consent.reason === null)) {
    throw refuse('consent_missing', 'Say whether a guardian consents and, without consent, why the alert is needed.');
  }
  if (custodyOrderChecked !== true) {
    throw refuse('custody_unchecked', 'Check whether a custody or protection order bears on this child, and say so.');
  }
  if (publicity === null) {
    throw refuse(
      'publicity_unanswered',
      'Answer whether publicity could endanger this child: safe, page_only or none.',
    );
  }
}

function refuse(code: CaseRefusal, detail: string): Refusal<CaseRefusal> {
  return new Refusal(code, detail);
}
