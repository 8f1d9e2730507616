import { expect, test } from 'vitest';
import type { InstanceView } from '../api/types';
import { addSample, cpuShare, MOST_SAMPLES, type Sample } from './samples';

const at = (at: number, cpuMs: number | null): Sample => ({ at, cpuMs, memory: null, disk: null });

test('the share of a core is the time used between two samples', () => {
  expect(cpuShare([at(0, 0), at(1000, 500), at(2000, 2500)])).toEqual([0.5, 2]);
});

test('a restarted counter and gaps are not negative load', () => {
  expect(cpuShare([at(0, 900), at(1000, 10)])).toEqual([0]);
  expect(cpuShare([at(0, null), at(1000, 10), at(1000, 20)])).toEqual([]);
});

test('only the newest samples are kept', () => {
  const view = { memory_bytes: 1, cpu_ms: 1, disk_bytes: 1 } as InstanceView;
  let list: Sample[] = [];
  for (let i = 0; i < MOST_SAMPLES + 5; i++) list = addSample(list, view, i);
  expect(list).toHaveLength(MOST_SAMPLES);
  expect(list[0]?.at).toBe(5);
});
