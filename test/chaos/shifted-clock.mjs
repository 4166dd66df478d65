// Preloaded by a process whose clock is to be wrong: `Date` is ahead by CLOCK_AHEAD_S seconds. Timers run on as ever.
const aheadMs = Number(process.env.CLOCK_AHEAD_S) * 1000;
const RealDate = Date;

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + aheadMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + aheadMs;
  }
};
