// One turn as the screen needs it, folded from the events of its run. Pure, so that every order of events can
// be tested.
import type {
  AttachmentNote,
  ChatEvent,
  ChatPhase,
  EngineProgress,
  ProviderFault,
  SeenState,
  TokenUsage,
} from '../api/types';

export interface LiveTool {
  id: string;
  name: string;
  phase: 'start' | 'done' | 'failed';
  /** What it was asked. */
  asked: string | undefined;
  /** What came of it. */
  outcome: string | undefined;
}

export interface LiveApproval {
  id: string;
  command: string;
  expiresAt: string | undefined;
  decision: string | undefined;
}

export interface LiveQuestion {
  id: string;
  text: string;
  options: string[];
  answered: boolean;
}

export interface TurnError {
  code: string;
  message: string;
  remedy: string | undefined;
  provider: ProviderFault | undefined;
}

export interface Turn {
  runId: string | undefined;
  session: string | undefined;
  /** What was asked, as the server tells it to everybody who follows. */
  asked: { text: string; files: AttachmentNote[] } | undefined;
  state: 'running' | 'done' | 'stopped' | 'failed';
  phase: ChatPhase | undefined;
  seen: SeenState | undefined;
  queuePosition: number | undefined;
  typicalMs: number | undefined;
  /** How far the engine is, while the turn waits for it. */
  installing: EngineProgress | undefined;
  text: string;
  tools: LiveTool[];
  approvals: LiveApproval[];
  questions: LiveQuestion[];
  usage: TokenUsage | undefined;
  error: TurnError | undefined;
}

export const emptyTurn: Turn = {
  runId: undefined,
  session: undefined,
  asked: undefined,
  state: 'running',
  phase: undefined,
  seen: undefined,
  queuePosition: undefined,
  typicalMs: undefined,
  installing: undefined,
  text: '',
  tools: [],
  approvals: [],
  questions: [],
  usage: undefined,
  error: undefined,
};

function upsert<T extends { id: string }>(list: T[], item: T): T[] {
  const at = list.findIndex((one) => one.id === item.id);
  return at < 0 ? [...list, item] : list.with(at, item);
}

export function fold(turn: Turn, event: ChatEvent): Turn {
  // After the end nothing changes any more: a replay may repeat events.
  if (turn.state !== 'running') return turn;
  switch (event.type) {
    case 'run':
      // A run that is read from its start again begins anew.
      return {
        ...emptyTurn,
        runId: event.run_id,
        session: event.session,
        asked: event.message ? { text: event.message, files: event.attachments ?? [] } : undefined,
        phase: turn.phase,
        typicalMs: turn.typicalMs,
      };
    case 'status':
      return {
        ...turn,
        phase: event.phase,
        seen: event.state ?? undefined,
        queuePosition: event.queue_position ?? undefined,
        typicalMs: event.typical_ms ?? undefined,
        installing: event.installing ?? undefined,
      };
    case 'delta':
      return { ...turn, text: event.replace ? event.text : turn.text + event.text };
    case 'tool': {
      const known = turn.tools.find((one) => one.id === event.id);
      const summary = event.summary ?? undefined;
      return {
        ...turn,
        tools: upsert(turn.tools, {
          id: event.id,
          name: event.name,
          phase: event.phase,
          asked: event.phase === 'start' ? (summary ?? known?.asked) : known?.asked,
          outcome: event.phase === 'start' ? undefined : summary,
        }),
      };
    }
    case 'approval':
      return {
        ...turn,
        approvals: upsert(turn.approvals, {
          id: event.id,
          command: event.command,
          expiresAt: event.expires_at ?? undefined,
          decision: event.decision ?? undefined,
        }),
      };
    case 'question':
      return {
        ...turn,
        questions: upsert(turn.questions, {
          id: event.id,
          text: event.text,
          options: event.options ?? [],
          answered: event.answered,
        }),
      };
    case 'usage':
      return { ...turn, usage: { input_tokens: event.input_tokens, output_tokens: event.output_tokens } };
    case 'final':
      return {
        ...turn,
        state: event.aborted ? 'stopped' : 'done',
        phase: undefined,
        // A stopped run may end with less than was streamed already; what was read stays.
        text: event.text || turn.text,
        usage: event.usage ?? turn.usage,
      };
    case 'error':
      return {
        ...turn,
        state: 'failed',
        phase: undefined,
        error: {
          code: event.code,
          message: event.message,
          remedy: event.remedy ?? undefined,
          provider: event.provider ?? undefined,
        },
      };
    default:
      // Events that a newer server knows and we do not.
      return turn;
  }
}

/** What an SSE frame says, or nothing when it is not ours to understand. */
export function chatEvent(frame: { event: string; data: string }): ChatEvent | undefined {
  try {
    const data: unknown = JSON.parse(frame.data);
    if (data === null || typeof data !== 'object') return undefined;
    const type = (data as { type?: unknown }).type ?? frame.event;
    return { ...data, type } as ChatEvent;
  } catch {
    return undefined;
  }
}
