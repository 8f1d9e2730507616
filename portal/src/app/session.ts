// Who is here and which agent they talk to.
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { api } from '../api/client';
import { instancesQuery, meQuery, queryClient } from '../api/queries';
import type { InstanceView, Me } from '../api/types';

export function useMe(): Me | undefined {
  return useQuery(meQuery).data;
}

export function isAdmin(me: Me | undefined): boolean {
  return me?.role === 'admin' || me?.role === 'owner';
}

/** Whether the policies let this person do something to what is theirs, or the organization's. */
export function can(me: Me | undefined, action: string): boolean {
  return me?.permissions.includes(action) ?? false;
}

/** Ends the session; `back` is where the next one begins. */
export async function signOut(back?: string): Promise<void> {
  await api.post('/api/v1/auth/logout').catch(() => {});
  queryClient.clear();
  // A full load, so that nothing of this person stays in memory.
  location.assign(back ? `/login?return_to=${encodeURIComponent(back)}` : '/login');
}

/** The agent of the address, else the one that was used last. */
export function useAgent(): {
  agent: InstanceView | undefined;
  agents: InstanceView[];
  isPending: boolean;
  error: unknown;
} {
  const [params] = useSearchParams();
  const query = useQuery(instancesQuery());
  const agents = (query.data ?? []).filter((one) => one.wanted !== 'deleted');
  const wanted = params.get('agent');
  const byUse = [...agents].sort((a, b) => (b.last_active_at ?? '').localeCompare(a.last_active_at ?? ''));
  const agent = agents.find((one) => one.id === wanted) ?? byUse[0];
  return { agent, agents, isPending: query.isPending, error: query.error };
}

/** Only paths of our own are followed after signing in. */
export function safePath(path: string | null): string {
  // Browsers read a backslash as a slash, and leave out tabs and line breaks before they look.
  if (!path?.startsWith('/') || path.startsWith('//') || /[\\\p{Cc}]/u.test(path)) return '/';
  return path;
}
