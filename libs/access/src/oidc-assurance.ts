/** Authentication methods (RFC 8176) of which each is, or proves, something the officer has. Not `sms` and `tel`: NIST SP 800-63B-4 §3.1.3.3. */
const METHODS: ReadonlySet<unknown> = new Set(['mfa', 'otp', 'hwk', 'swk', 'sc']);

/** Context classes that promise several factors: OpenID EAP ACR Values 1.0, PAPE and REFEDS. */
const CLASSES: ReadonlySet<unknown> = new Set([
  'phr',
  'phrh',
  'http://schemas.openid.net/pape/policies/2007/06/multi-factor',
  'https://refeds.org/profile/mfa',
]);

/** Whether a provider says that a second factor was shown. One that does not say so did not ask: then we do. */
export function saysSecondFactor({ amr, acr }: { readonly amr?: unknown; readonly acr?: unknown }): boolean {
  return CLASSES.has(acr) || (Array.isArray(amr) && amr.some((method) => METHODS.has(method)));
}
