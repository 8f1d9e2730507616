// What the pages ask for, by name: one place for keys and paths, so that a change invalidates what it touches.
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { ApiProblem } from './problem';
import type {
  ApiTokenView,
  BrowserSessionView,
  ChatHistory,
  ChatSession,
  CheckView,
  DeliveryState,
  DeliveryView,
  EngineView,
  EvidenceView,
  IdentityProviderView,
  IncidentView,
  InstanceView,
  InvitationView,
  KeyStatus,
  Me,
  OnboardingStatus,
  OperationState,
  OperationView,
  Page,
  PolicyVersionView,
  PolicyView,
  ProfileView,
  ProposalView,
  ProviderView,
  RuntimeAssetView,
  SettingsView,
  SignInMethods,
  SkillCredentialView,
  SkillList,
  TimelineEntry,
  UsageReport,
  UserView,
  WebhookView,
  WitnessView,
} from './types';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
    },
  },
});

/** All pages of a list. People's lists here are short; 20 pages of 200 is the end of it. */
async function all<T>(path: string, query: Record<string, string | boolean | undefined> = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < 20; page++) {
    const part = await api.get<Page<T>>(path, { query: { ...query, limit: 200, cursor } });
    items.push(...part.items);
    cursor = part.next_cursor;
    if (!cursor) break;
  }
  return items;
}

export const onboardingQuery = queryOptions({
  queryKey: ['onboarding'],
  queryFn: () => api.get<OnboardingStatus>('/api/onboarding/status'),
});
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: () => api.get<Me>('/api/v1/me'),
  staleTime: 60_000,
});
export const methodsQuery = queryOptions({
  queryKey: ['methods'],
  queryFn: () => api.get<SignInMethods>('/api/v1/auth/methods'),
});
export const profileQuery = queryOptions({
  queryKey: ['profile'],
  queryFn: () => api.get<ProfileView>('/api/v1/profile'),
});
export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: () => api.get<SettingsView>('/api/v1/settings'),
});
/** Asked again while something moves: that a value did is no entry of the log. */
export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: () => api.get<KeyStatus>('/api/v1/keys'),
  refetchInterval: (query) => (query.state.data?.waiting ? 5_000 : false),
});
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: () => all<ProviderView>('/api/v1/providers'),
});
export const browserSessionsQuery = queryOptions({
  queryKey: ['browser-sessions'],
  queryFn: () => all<BrowserSessionView>('/api/v1/sessions'),
});
export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: () => all<ApiTokenView>('/api/v1/tokens'),
});
export const skillCredentialsQuery = queryOptions({
  queryKey: ['skill-credentials'],
  queryFn: () => all<SkillCredentialView>('/api/v1/skill-credentials'),
});
/** Asked again while the agent still lacks a variable that is stored: it takes a moment to reach it. */
export const skillsQuery = (agent: string, wake: boolean, stored: readonly SkillCredentialView[]) =>
  queryOptions({
    queryKey: ['skills', agent, wake],
    queryFn: async () =>
      (
        await api.get<SkillList>(`/api/v1/instances/${encodeURIComponent(agent)}/skills`, {
          query: { wake: wake || undefined },
        })
      ).items,
    refetchInterval: (query) =>
      stored.some((one) =>
        query.state.data?.some((skill) => skill.key === one.skill && skill.missing.env.includes(one.name)),
      )
        ? 1500
        : false,
  });
export const policyQuery = queryOptions({
  queryKey: ['policy'],
  queryFn: () => api.get<PolicyView>('/api/v1/policy'),
});
/** Versions carry their whole text: a page of them at a time. */
export const policyVersionsQuery = infiniteQueryOptions({
  queryKey: ['policy-versions'],
  queryFn: ({ pageParam }) =>
    api.get<Page<PolicyVersionView>>('/api/v1/policy/versions', { query: { limit: 20, cursor: pageParam } }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});
/** A version is never changed; only whether it is in force is. */
export const policyVersionQuery = (version: number) =>
  queryOptions({
    queryKey: ['policy-version', version],
    queryFn: () => api.get<PolicyVersionView>(`/api/v1/policy/versions/${version}`),
    staleTime: Number.POSITIVE_INFINITY,
  });
export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: () => all<UserView>('/api/v1/users'),
});
export const invitationsQuery = queryOptions({
  queryKey: ['invitations'],
  queryFn: () => all<InvitationView>('/api/v1/invitations'),
});
export const identityProvidersQuery = queryOptions({
  queryKey: ['identity-providers'],
  queryFn: () => all<IdentityProviderView>('/api/v1/identity-providers'),
});
export const enginesQuery = queryOptions({
  queryKey: ['engines'],
  queryFn: () => all<EngineView>('/api/v1/engines'),
  refetchInterval: (query) =>
    query.state.data?.some((engine) => engine.state === 'installing') ? 1500 : false,
});
export const assetsQuery = queryOptions({
  queryKey: ['assets'],
  queryFn: () => all<RuntimeAssetView>('/api/v1/assets'),
});
export const instancesQuery = (everybody = false) =>
  queryOptions({
    queryKey: ['instances', everybody],
    queryFn: () => all<InstanceView>('/api/v1/instances', { all: everybody || undefined }),
  });
export const instanceQuery = (id: string) =>
  queryOptions({
    queryKey: ['instance', id],
    queryFn: () => api.get<InstanceView>(`/api/v1/instances/${encodeURIComponent(id)}`),
  });
export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['timeline', id],
    queryFn: async () =>
      (
        await api.get<Page<TimelineEntry>>(`/api/v1/instances/${encodeURIComponent(id)}/timeline`, {
          query: { limit: 100 },
        })
      ).items,
  });
/** Asked again by itself: what a witness answers is no entry of the log. */
export const witnessesQuery = queryOptions({
  queryKey: ['witnesses'],
  queryFn: () => all<WitnessView>('/api/v1/evidence/witnesses'),
  refetchInterval: 15_000,
});
/** Asked again by itself: attempts are no entries of the log. More often while something is on its way. */
const soon = (waiting: boolean) => (waiting ? 3_000 : 15_000);
export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: () => all<WebhookView>('/api/v1/webhooks'),
  refetchInterval: (query) => soon(query.state.data?.some((hook) => hook.waiting > 0) ?? false),
});
export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', id],
    queryFn: () => api.get<WebhookView>(`/api/v1/webhooks/${encodeURIComponent(id)}`),
    refetchInterval: (query) => soon((query.state.data?.waiting ?? 0) > 0),
  });
export const deliveriesQuery = (id: string, state: DeliveryState | undefined, waiting: boolean) =>
  infiniteQueryOptions({
    queryKey: ['webhooks', id, 'deliveries', state ?? 'all'],
    queryFn: ({ pageParam }) =>
      api.get<Page<DeliveryView>>(`/api/v1/webhooks/${encodeURIComponent(id)}/deliveries`, {
        query: { state, limit: 30, cursor: pageParam },
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: soon(waiting),
  });
/** Everything that was given up, oldest first: the order in which it is sent again. */
export const deadDeliveries = async (id: string) =>
  (
    await all<DeliveryView>(`/api/v1/webhooks/${encodeURIComponent(id)}/deliveries`, { state: 'dead' })
  ).reverse();
/** What waits for whoever is here. Nobody is asked often: the stream of what happens says when it changes. */
export const awaitingQuery = queryOptions({
  queryKey: ['proposals', 'awaiting'],
  queryFn: () => all<ProposalView>('/api/v1/proposals', { awaiting_me: true }),
  staleTime: 60_000,
});
/** `mine`: only what whoever is here asked for. */
export const proposalsQuery = (mine: boolean) =>
  infiniteQueryOptions({
    queryKey: ['proposals', mine ? 'mine' : 'all'],
    queryFn: ({ pageParam }) =>
      api.get<Page<ProposalView>>('/api/v1/proposals', {
        query: { mine: mine || undefined, limit: 50, cursor: pageParam },
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
/** While it is carried out it is asked again: its end may come while the stream is cut. */
export const proposalQuery = (id: string) =>
  queryOptions({
    queryKey: ['proposals', id],
    queryFn: () => api.get<ProposalView>(`/api/v1/proposals/${encodeURIComponent(id)}`),
    refetchInterval: (query) => (query.state.data?.state === 'approved' ? 2_000 : false),
  });
const operationsIn = (state: OperationState, mine: boolean) =>
  all<OperationView>('/api/v1/operations', { state, mine: mine || undefined });
/** Those that wait for somebody's choice, for the count in the navigation too: the stream says when that changes. */
export const stuckQuery = (mine: boolean) =>
  queryOptions({
    queryKey: ['operations', 'stuck', mine],
    queryFn: () => operationsIn('stuck', mine),
    staleTime: 60_000,
  });
/** Asked again while there are any: that one began, or a try that failed and is made again, is no entry of the log. */
export const underWayQuery = (mine: boolean) =>
  queryOptions({
    queryKey: ['operations', 'under-way', mine],
    queryFn: async () => {
      const states: OperationState[] = ['pending', 'running', 'undoing'];
      const found = (await Promise.all(states.map((state) => operationsIn(state, mine)))).flat();
      // One that went on between two of the questions is in the answers to both: the later one counts.
      const byId = new Map(found.map((one) => [one.id, one]));
      return [...byId.values()].sort((a, b) => b.created_at.localeCompare(a.created_at));
    },
    refetchInterval: (query) => (query.state.data?.length ? 5_000 : false),
  });
export const operationsQuery = (mine: boolean) =>
  infiniteQueryOptions({
    queryKey: ['operations', 'all', mine],
    queryFn: ({ pageParam }) =>
      api.get<Page<OperationView>>('/api/v1/operations', {
        query: { mine: mine || undefined, limit: 50, cursor: pageParam },
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
/** Asked again as long as it goes on by itself, for the same reason, and so that its end is seen while the stream is cut. */
export const operationQuery = (id: string) =>
  queryOptions({
    queryKey: ['operations', id],
    queryFn: () => api.get<OperationView>(`/api/v1/operations/${encodeURIComponent(id)}`),
    refetchInterval: (query) =>
      ['pending', 'running', 'undoing'].includes(query.state.data?.state ?? '') ? 2_000 : false,
  });
/** What is broken now, for the count in the navigation too: the stream says when there is more or less. */
export const brokenQuery = queryOptions({
  queryKey: ['incidents', 'open'],
  queryFn: () => all<IncidentView>('/api/v1/incidents', { state: 'open' }),
  staleTime: 60_000,
});
/** What is broken about one thing. */
export const brokenOfQuery = (id: string) =>
  queryOptions({
    queryKey: ['incidents', 'of', id],
    queryFn: () => all<IncidentView>('/api/v1/incidents', { state: 'open', resource_id: id }),
    staleTime: 60_000,
  });
export const mendedQuery = infiniteQueryOptions({
  queryKey: ['incidents', 'resolved'],
  queryFn: ({ pageParam }) =>
    api.get<Page<IncidentView>>('/api/v1/incidents', {
      query: { state: 'resolved', limit: 50, cursor: pageParam },
    }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});
/** While somebody looks at what is broken: that it was found again, or with other words, is no entry of the log. */
export const FOUND_AGAIN = 60_000;
export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['incidents', id],
    queryFn: () => api.get<IncidentView>(`/api/v1/incidents/${encodeURIComponent(id)}`),
    refetchInterval: (query) => (query.state.data?.state === 'open' ? FOUND_AGAIN : false),
  });
/** Asked again by itself: that a check looked and found what it found before is no entry of the log. */
export const checksQuery = queryOptions({
  queryKey: ['checks'],
  queryFn: () => api.get<CheckView[]>('/api/v1/checks'),
  refetchInterval: 30_000,
});
/** The log, newest first, a page at a time; what is new comes as events. */
export const evidenceQuery = (filter: Record<string, string>) =>
  infiniteQueryOptions({
    queryKey: ['evidence', filter],
    queryFn: ({ pageParam }) =>
      api.get<Page<EvidenceView>>('/api/v1/evidence', { query: { ...filter, limit: 50, cursor: pageParam } }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // A list that somebody reads does not move by itself: it is asked when it is opened.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnMount: 'always',
  });
export const evidenceEntryQuery = (seq: number) =>
  queryOptions({
    queryKey: ['evidence-entry', seq],
    queryFn: () => api.get<EvidenceView>(`/api/v1/evidence/${seq}`),
    staleTime: Number.POSITIVE_INFINITY,
  });
/** What somebody who may read the log did, and what happened to agents; the page knows which of them are theirs. */
export const activityQuery = (me: string) =>
  queryOptions({
    queryKey: ['activity', me],
    queryFn: async () => {
      const wanted = [
        { actor: me, limit: 20 },
        { action: 'instance.', limit: 50 },
      ];
      const pages = await Promise.all(
        wanted.map((query) => api.get<Page<EvidenceView>>('/api/v1/evidence', { query })),
      );
      const bySeq = new Map(pages.flatMap((page) => page.items).map((one) => [one.seq, one]));
      return [...bySeq.values()];
    },
  });
export const usageQuery = (days: number, everybody: boolean) =>
  queryOptions({
    queryKey: ['usage', days, everybody],
    queryFn: () => api.get<UsageReport>('/api/v1/usage', { query: { days, all: everybody || undefined } }),
  });
export const chatSessionsQuery = (agent: string) =>
  queryOptions({
    queryKey: ['chat-sessions', agent],
    queryFn: () => all<ChatSession>('/api/v1/chat/sessions', { agent_id: agent }),
  });
export const historyQuery = (agent: string, session: string) =>
  queryOptions({
    queryKey: ['history', agent, session],
    queryFn: () =>
      api.get<ChatHistory>(`/api/v1/chat/sessions/${encodeURIComponent(session)}/history`, {
        query: { agent_id: agent, limit: 100 },
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });
