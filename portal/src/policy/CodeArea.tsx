// A text area with line numbers, colours and marks beside lines. It stays a plain text area for keyboards, phones and screen readers;
// the colours lie below it and have the same letters at the same places.
import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useMemo, useRef } from 'react';
import { coloured } from './colours';
import { lineOf } from './place';

export interface Mark {
  line: number;
  severity: string;
  message: string;
}

export interface Jump {
  /** Puts the caret there, in sight. */
  to: (offset: number) => void;
}

const worst = (marks: Mark[]) => (marks.some((one) => one.severity === 'error') ? 'error' : 'warning');

export function CodeArea(props: {
  label: string;
  hint?: string;
  value: string;
  onChange?: ((value: string) => void) | undefined;
  marks?: Mark[];
  placeholder?: string;
  rows?: number;
  invalid?: boolean;
  ref?: Ref<Jump>;
}) {
  const { value, onChange, marks = [], rows = 8 } = props;
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const pieces = useMemo(() => coloured(value), [value]);
  const count = value.split('\n').length;

  useImperativeHandle(props.ref, () => ({
    to: (offset) => {
      const [text, frame] = [area.current, box.current];
      if (!text || !frame) return;
      text.focus({ preventScroll: true });
      text.setSelectionRange(offset, offset);
      const height = Number.parseFloat(getComputedStyle(text).lineHeight);
      frame.scrollTop = (lineOf(text.value, offset) - 3) * height;
      frame.scrollLeft = 0;
      frame.scrollIntoView({ block: 'nearest' });
    },
  }));

  // A new line begins below the one above; Tab stays what leads out of here.
  const indent = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (
      event.key !== 'Enter' ||
      event.shiftKey ||
      event.ctrlKey ||
      event.metaKey ||
      event.nativeEvent.isComposing
    )
      return;
    const { selectionStart, value: text } = event.currentTarget;
    const line = text.slice(text.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
    const space = /^[ \t]*/.exec(line)?.[0] ?? '';
    // The one way to type for somebody that undo knows of.
    if (space && document.execCommand('insertText', false, `\n${space}`)) event.preventDefault();
  };

  return (
    <div className="code-field">
      <div className="code-head">
        <label htmlFor={id}>{props.label}</label>
        {props.hint && <span id={`${id}-hint`}>{props.hint}</span>}
      </div>
      <div
        className="code-box"
        ref={box}
        data-invalid={props.invalid || undefined}
        data-fixed={!onChange || undefined}
      >
        <div className="code-gutter" aria-hidden>
          {Array.from({ length: count }, (_, i) => {
            const here = marks.filter((one) => one.line === i + 1);
            return (
              <div
                // biome-ignore lint/suspicious/noArrayIndexKey: lines are their numbers
                key={i}
                data-mark={here.length > 0 ? worst(here) : undefined}
                title={here.map((one) => one.message).join('\n') || undefined}
              >
                {i + 1}
              </div>
            );
          })}
        </div>
        <div className="code-text">
          <pre className="code-below" aria-hidden>
            {pieces.map((piece, i) =>
              piece.colour ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: pieces are their places
                <span key={i} data-colour={piece.colour}>
                  {piece.text}
                </span>
              ) : (
                piece.text
              ),
            )}
            {'\n'}
          </pre>
          <textarea
            id={id}
            ref={area}
            value={value}
            rows={rows}
            wrap="off"
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            autoCorrect="off"
            placeholder={props.placeholder}
            readOnly={!onChange}
            aria-invalid={props.invalid || undefined}
            aria-describedby={props.hint ? `${id}-hint` : undefined}
            onChange={(event) => onChange?.(event.currentTarget.value)}
            onKeyDown={indent}
          />
        </div>
      </div>
    </div>
  );
}
