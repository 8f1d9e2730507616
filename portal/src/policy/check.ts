// What the server says about a text and its tests, asked after a short rest of the keys.
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api } from '../api/client';
import type { PolicyCheck, PolicyTest } from '../api/types';
import type { Draft } from './draft';
import { type JsonFault, readTests } from './place';

const REST = 350;

export interface Checked {
  /** The last answer; `current` says whether it is about what stands there now. */
  check: PolicyCheck | undefined;
  current: boolean;
  fault: JsonFault | undefined;
  tests: PolicyTest[] | undefined;
  error: unknown;
}

export function useCheck(draft: Draft): Checked {
  const read = useMemo(() => readTests<PolicyTest>(draft.tests), [draft.tests]);
  const now = useMemo(
    // Without a list of tests the text is still looked at.
    () => ({ text: draft.text, tests: 'tests' in read ? read.tests : [] }),
    [draft.text, read],
  );
  const [asked] = useDebouncedValue(now, REST);
  const query = useQuery({
    queryKey: ['policy-check', asked],
    queryFn: ({ signal }) => api.post<PolicyCheck>('/api/v1/policy/check', asked, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  });
  return {
    check: query.error ? undefined : query.data,
    current: asked === now && query.isSuccess && !query.isPlaceholderData,
    fault: 'fault' in read ? read.fault : undefined,
    tests: 'tests' in read ? read.tests : undefined,
    error: query.error,
  };
}
