import type { AlertFunnel, Asked, Counted, Delay, Reached, Told } from './funnel.ts';

/** How a count of one alert may be told, by what it counts. */
type Tell = (what: string, count: number) => Told;

/**
 * A funnel as it may be told: an alert's area can be chosen so that few phones are in it, and what they do would be known. So
 * every count of phones and of people is blurred by itself, and what only few did has no times and no depth.
 */
export function toldFunnel(exact: AlertFunnel<Counted>, blur: Tell): AlertFunnel {
  const tell: Tell = (what, count) => blur(`${exact.alertId}|${what}`, count);
  const { asked, forwarded, times, ended } = exact;
  const withheld = Object.entries(asked.withheld)
    .map(([reason, count]) => [reason, tell(reason, count)] as const)
    // That a reason stands there at all would tell of the one phone that has it.
    .filter(([, count]) => count !== null);
  const toldAsked = askedOf(asked, tell);
  const children = tell('children', forwarded.children);
  const anyone = toldAsked.targeted !== null;
  return {
    ...exact,
    asked: { ...toldAsked, withheld: Object.fromEntries(withheld) },
    reached: reachedOf(exact.reached, tell),
    forwarded: {
      of: tell('opened', forwarded.of),
      roots: tell('roots', forwarded.roots),
      children,
      maxDepth: children === null ? null : forwarded.maxDepth,
      views: tell('views', forwarded.views),
    },
    times: {
      firstPushMs: anyone ? times.firstPushMs : null,
      lastPushMs: anyone ? times.lastPushMs : null,
      receiptDelay: delayOf('received', times.receiptDelay, tell),
      openDelay: delayOf('opened', times.openDelay, tell),
    },
    ended: {
      ...askedOf(ended, (what, count) => tell(`ended ${what}`, count)),
      reached: reachedOf(ended.reached, (what, count) => tell(`ended ${what}`, count)),
    },
  };
}

function askedOf(asked: Asked<Counted>, tell: Tell): Asked {
  return {
    targeted: tell('targeted', asked.targeted),
    accepted: tell('accepted', asked.accepted),
    unregistered: tell('unregistered', asked.unregistered),
    rejected: tell('rejected', asked.rejected),
    expired: tell('expired', asked.expired),
    stopped: tell('stopped', asked.stopped),
    unknown: tell('unknown', asked.unknown),
    pending: tell('pending', asked.pending),
  };
}

function reachedOf(reached: Reached<Counted>, tell: Tell): Reached {
  return {
    of: tell('reachable', reached.of),
    received: tell('received', reached.received),
    outside: tell('outside', reached.outside),
    opened: tell('opened', reached.opened),
  };
}

function delayOf(what: string, { of, medianMs, p90Ms }: Delay<Counted>, tell: Tell): Delay {
  const told = tell(what, of);
  return told === null ? { of: told, medianMs: null, p90Ms: null } : { of: told, medianMs, p90Ms };
}
