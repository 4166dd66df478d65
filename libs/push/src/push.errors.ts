import type { Mode } from './push-gateway.ts';

export type PushRefusal =
  'REAL_TOKEN_OUTSIDE_REAL_MODE' | 'REAL_PROVIDER_OUTSIDE_REAL_MODE' | 'SIMULATED_TOKEN_TO_REAL_PROVIDER';

/** The gateway refused a whole call and sent nothing: a programming or configuration error, never a matter of one message. */
export class PushRefused extends Error {
  override readonly name = 'PushRefused';
  readonly code: PushRefusal;

  constructor(code: PushRefusal, mode: Mode) {
    super(`${code} (mode ${mode})`);
    this.code = code;
  }
}
