import { describe, expect, it } from '@jest/globals';
import { isLonLat } from './point.ts';

describe('isLonLat', () => {
  it.each([[[0, 0]], [[-180, -90]], [[180, 90]]])('takes %j', (p) => {
    expect(isLonLat(p)).toBe(true);
  });

  it.each([[[]], [[1]], [[1, 2, 3]], [[180.1, 0]], [[0, -90.1]], [[NaN, 0]], [[0, NaN]], [[Infinity, 0]]])(
    'refuses %j',
    (p) => {
      expect(isLonLat(p)).toBe(false);
    },
  );
});
