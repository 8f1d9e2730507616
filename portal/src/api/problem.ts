// Turns whatever a failed request brought back into one error type: words for people, a code for us and the
// fields that were wrong, ready to stand beside their inputs.
import type { Problem, ProposalView } from './types';

/** What a failed request is known by: a body of the server's, or what we say in its place, with a code of our own. */
type Known = Partial<Omit<Problem, 'code'>> & { status: number; code?: string };

/** Nothing answered at all: the server is gone or the network is. */
export const OFFLINE = 'offline';

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly remedy: string | undefined;
  readonly requestId: string | undefined;
  /** Field name (as the form knows it) to the broken rule in words. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(problem: Known) {
    const title = problem.title ?? `HTTP ${problem.status}`;
    super(problem.detail ?? title);
    this.name = 'ApiProblem';
    this.status = problem.status;
    this.code = problem.code ?? 'unknown';
    this.title = title;
    this.detail = problem.detail ?? undefined;
    this.remedy = problem.remedy ?? undefined;
    this.requestId = problem.request_id;
    this.fields = Object.fromEntries((problem.errors ?? []).map((e) => [fieldName(e.field), e.message]));
  }

  /** The fields' messages that none of the named inputs will show. */
  otherFields(shown: readonly string[]): string[] {
    return Object.entries(this.fields)
      .filter(([field]) => !shown.includes(field))
      .map(([field, message]) => (field ? `${field}: ${message}` : message));
  }
}

/**
 * The change was not made: it waits for approval, as this proposal. An error for whoever awaited the change's own answer, but no
 * failure: it is told once, by the frame, and nothing that shows problems shows it.
 */
export class Proposed extends ApiProblem {
  readonly proposal: ProposalView;

  constructor(proposal: ProposalView) {
    super({ status: 202, code: 'proposed' });
    this.name = 'Proposed';
    this.proposal = proposal;
  }
}

/** `/provider/base_url` becomes `provider.base_url`; a parameter name stays as it is. */
export function fieldName(pointer: string): string {
  return pointer
    .replace(/^#?\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  try {
    const body: unknown = await response.json();
    if (body !== null && typeof body === 'object') {
      return new ApiProblem({ ...(body as Partial<Problem>), status: response.status });
    }
  } catch {
    // A proxy in between may answer with HTML; the status alone then has to do.
  }
  return new ApiProblem({ status: response.status });
}

export function offline(): ApiProblem {
  return new ApiProblem({ status: 0, code: OFFLINE, title: OFFLINE });
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem({ status: 0, code: 'unexpected', title: String(error) });
}
