import { generateSecret, generateURI, verifySync } from 'otplib';

/** RFC 6238 as every authenticator app has it: SHA-1, six digits, steps of 30 s; one step early or late is allowed (§5.2). */
const STEP_S = 30;
const CODE = /^\d{6}$/;

/** A secret of 160 bits (RFC 4226 §4 R6), in base32. */
export function newTotpSecret(): string {
  return generateSecret({ length: 20 });
}

/** What an authenticator app reads from a QR code. */
export function totpUri(secret: string, login: string): string {
  return generateURI({ issuer: 'Golden72', label: login, secret, period: STEP_S });
}

/** @returns the time step whose code it is, for each may be used once; null when it is none of now's. */
export function totpStep(secret: string, code: string, now: Date): number | null {
  if (!CODE.test(code)) return null;
  const epoch = Math.floor(now.getTime() / 1000);
  const found = verifySync({ secret, token: code, epoch, period: STEP_S, epochTolerance: STEP_S });
  return found.valid && 'timeStep' in found ? found.timeStep : null;
}
