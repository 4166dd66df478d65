import ipaddr from 'ipaddr.js';

/** What is routed to whoever runs it, of all that IPv6 allocates (IANA: 2000::/3). */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address (no name, no brackets) is out on the internet: not this machine, not its network, not its cloud's
 * metadata, no range that translates to one of those (IPv4-mapped, NAT64, 6to4, Teredo), nothing reserved.
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_IPV6);
}
