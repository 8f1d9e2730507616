// The one fetch client. Same origin only; the session cookie does the signing in.
import { ApiProblem, offline, Proposed, problemOf } from './problem';
import type { ProposalView } from './types';

type Query = Record<string, string | number | boolean | null | undefined>;

export interface RequestOptions {
  query?: Query;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** Called when the server says that nobody is signed in (any more). */
let onSignedOut: () => void = () => {};
export function setSignedOutHandler(handler: () => void): void {
  onSignedOut = handler;
}

/** Called when a change was not made because it waits for approval. */
let onProposed: (proposal: ProposalView) => void = () => {};
export function setProposedHandler(handler: (proposal: ProposalView) => void): void {
  onProposed = handler;
}

export function url(path: string, query?: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** Sends a request and hands back the raw response when it went well, so that streams can be read. */
export async function send(
  method: string,
  path: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: options.signal ?? null };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(url(path, options.query), init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw offline();
  }
  // Its body is a proposal, not what the caller asked for.
  if (response.status === 202 && response.headers.has('fractal-proposal')) {
    const proposal = await json<ProposalView>(response);
    onProposed(proposal);
    throw new Proposed(proposal);
  }
  if (response.ok) return response;
  throw refusal(await problemOf(response));
}

/** What the server refused with; whoever it does not know is led to sign in. */
export function refusal(problem: ApiProblem): ApiProblem {
  if (problem.status === 401 && problem.code === 'unauthenticated') onSignedOut();
  return problem;
}

async function json<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (!text) return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiProblem({ status: response.status, code: 'not-json', title: 'The answer was not JSON' });
  }
}

export const api = {
  get: async <T>(path: string, options?: RequestOptions) =>
    json<T>(await send('GET', path, undefined, options)),
  post: async <T>(path: string, body: unknown = {}, options?: RequestOptions) =>
    json<T>(await send('POST', path, body, options)),
  put: async <T>(path: string, body: unknown, options?: RequestOptions) =>
    json<T>(await send('PUT', path, body, options)),
  patch: async <T>(path: string, body: unknown, options?: RequestOptions) =>
    json<T>(await send('PATCH', path, body, options)),
  delete: async <T = void>(path: string, options?: RequestOptions) =>
    json<T>(await send('DELETE', path, undefined, options)),
};
