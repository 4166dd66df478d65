/** The weight of `;q=…`; one that cannot be read is none (RFC 9110 §12.4.2). */
export function qualityOf(parameter: string | undefined): number {
  const match = /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(parameter ?? 'q=1');
  return Number(match?.[1] ?? 0);
}
