// Keeps the last few minutes of an instance's figures, as its live events bring them.
import type { InstanceView } from '../api/types';

export interface Sample {
  at: number;
  memory: number | null;
  disk: number | null;
  /** CPU time since start in milliseconds. */
  cpuMs: number | null;
}

export const MOST_SAMPLES = 180;

export function addSample(samples: readonly Sample[], view: InstanceView, at: number): Sample[] {
  return [
    ...samples,
    { at, memory: view.memory_bytes ?? null, disk: view.disk_bytes ?? null, cpuMs: view.cpu_ms ?? null },
  ].slice(-MOST_SAMPLES);
}

/** Share of one core between each two samples; a restarted counter begins at nothing. */
export function cpuShare(samples: readonly Sample[]): number[] {
  const shares: number[] = [];
  for (let i = 1; i < samples.length; i++) {
    const [a, b] = [samples[i - 1], samples[i]];
    if (!a || !b || a.cpuMs === null || b.cpuMs === null || b.at <= a.at) continue;
    shares.push(Math.max(0, (b.cpuMs - a.cpuMs) / (b.at - a.at)));
  }
  return shares;
}
