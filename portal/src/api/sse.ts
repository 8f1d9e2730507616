// Server-sent events over fetch: unlike EventSource it can POST, send headers and tell a refusal from a lost
// connection.

export interface SseEvent {
  event: string;
  data: string;
  id: string | undefined;
}

/** Takes text as it arrives, cut anywhere, and gives back whole events (HTML standard, section 9.2.6). */
export class SseParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  private id: string | undefined;
  private started = false;

  feed(chunk: string): SseEvent[] {
    let text = this.rest + chunk;
    if (!this.started && text) {
      this.started = true;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    const events: SseEvent[] = [];
    let at = 0;
    for (;;) {
      const end = lineEnd(text, at);
      if (end === undefined) break;
      const event = this.line(text.slice(at, end.at));
      if (event) events.push(event);
      at = end.next;
    }
    this.rest = text.slice(at);
    return events;
  }

  private line(line: string): SseEvent | undefined {
    if (line === '') {
      const { event, data } = this;
      this.event = '';
      this.data = [];
      if (data.length === 0) return undefined;
      return { event: event || 'message', data: data.join('\n'), id: this.id };
    }
    if (line.startsWith(':')) return undefined;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    return undefined;
  }
}

function lineEnd(text: string, from: number): { at: number; next: number } | undefined {
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (c === '\n') return { at: i, next: i + 1 };
    if (c === '\r') {
      // A carriage return at the very end may be half of a pair.
      if (i + 1 >= text.length) return undefined;
      return { at: i, next: text[i + 1] === '\n' ? i + 2 : i + 1 };
    }
  }
  return undefined;
}

/** The events of a response, until it ends or the reader leaves. */
export async function* events(response: Response): AsyncGenerator<SseEvent> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
