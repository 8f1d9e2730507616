// Looking at the log's head: fetched, held against what this browser kept, and kept itself when everything fits.
import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client';
import { queryClient } from '../api/queries';
import type { ConsistencyProof, EvidenceHead, EvidenceView, InclusionProof } from '../api/types';
import { checkEntry, checkHead, type HeadCheck, type Step, support } from './check';
import { keep, readKept } from './kept';

export interface Look {
  able: Awaited<ReturnType<typeof support>>;
  head: EvidenceHead;
  /** Absent where this browser cannot check. */
  check?: HeadCheck;
}

async function prove(from: number, to: number): Promise<readonly string[]> {
  return (await api.get<ConsistencyProof>('/api/v1/evidence/consistency', { query: { from, to } })).hashes;
}

async function look(): Promise<Look> {
  const head = await api.get<EvidenceHead>('/api/v1/evidence/checkpoint');
  const able = await support();
  if (able !== 'ok') return { able, head };
  const kept = readKept();
  const check = await checkHead(head, kept, new Date().toISOString(), prove);
  // Not over what another tab, or the person, has put there meanwhile.
  if (check.keep && readKept() === kept) keep(check.keep);
  return { able, head, check };
}

export const headQuery = queryOptions({ queryKey: ['evidence-head'], queryFn: look });

/** Everything that can be known about an entry here; where the browser cannot check, only that. */
export async function verify(entry: EvidenceView): Promise<{ able: Look['able']; steps: Step[] }> {
  const { able, check } = await queryClient.fetchQuery({ ...headQuery, staleTime: 0 });
  if (!check) return { able, steps: [] };
  const proof = await api.get<InclusionProof>(`/api/v1/evidence/${entry.seq}/proof`, {
    query: { size: check.checkpoint?.size },
  });
  return { able, steps: [...(await checkEntry(entry, proof, check.checkpoint)), ...check.steps] };
}
