// Values as approvers read them: nothing shortened, nothing beside the edge of the screen, nothing that is there and not seen.
import '../policy/colours.css';
import './value.css';
import { Button } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { Fragment, type ReactNode, useCallback, useState } from 'react';
import { coloured } from '../policy/colours';
import { t } from '../strings';
import { bytes } from '../ui/format';
import { type Field, HIDDEN, runs, shapeOf, textOf } from './fields';

/** A value in the shape it needs; `code` says that it is written like rules. */
export function Value({ name, value, code }: Pick<Field, 'name' | 'value'> & { code: boolean }) {
  const shape = shapeOf(value);
  if (shape === 'secret') return <Secret />;
  if (shape === 'list') return <List items={value as string[]} />;
  if (shape === 'block') return <Block value={value} code={code} />;
  return <Line name={name ?? ''} value={value} />;
}

/** A text with its unseen characters made visible. */
export function Exact({ text }: { text: string }) {
  return runs(text).map((run, i) =>
    run.unseen ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: runs are their places
      <span key={i} className="value-unseen">
        {run.text}
      </span>
    ) : (
      run.text
    ),
  );
}

function Secret() {
  return (
    <span className="value-secret">
      <IconLock size={14} aria-hidden />
      {t('proposal.secret')}
    </span>
  );
}

/** What fits in a line. What is no text looks like none: somebody may be called “no value”. */
function Line({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined) return <em className="value-word">{t('proposal.null')}</em>;
  if (value === '') return <em className="value-word">{t('proposal.empty')}</em>;
  return (
    <span className="value-line">
      <span className="mono">
        <Exact text={textOf(value)} />
      </span>
      {typeof value === 'number' && name.endsWith('_bytes') && (
        <em className="value-word"> {bytes(value)}</em>
      )}
    </span>
  );
}

function List({ items }: { items: readonly string[] }) {
  if (items.length === 0) return <em className="value-word">{t('proposal.empty.list')}</em>;
  return (
    <ul className="value-list">
      {items.map((one, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change
        <li key={i} className="mono">
          {one === '' ? <em className="value-word">{t('proposal.empty')}</em> : <Exact text={one} />}
        </li>
      ))}
    </ul>
  );
}

/** A long text or JSON: of bounded height until one wants all of it, and wrapped, because what stands far to the right is not read. */
function Block({ value, code }: { value: unknown; code: boolean }) {
  const [open, setOpen] = useState(false);
  const [longer, setLonger] = useState(false);
  const watch = useCallback((pre: HTMLPreElement) => {
    const sizes = new ResizeObserver(() => setLonger(pre.scrollHeight > pre.clientHeight));
    sizes.observe(pre);
    return () => sizes.disconnect();
  }, []);
  return (
    <div className="value-block">
      <pre ref={watch} tabIndex={0} data-open={open || undefined}>
        {pieces(textOf(value), code || typeof value !== 'string')}
      </pre>
      {(open || longer) && (
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          fullWidth
          radius={0}
          fw={500}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t(open ? 'proposal.less' : 'proposal.whole')}
        </Button>
      )}
    </div>
  );
}

function pieces(text: string, code: boolean): ReactNode {
  return text.split(`"${HIDDEN}"`).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts are their places
    <Fragment key={i}>
      {i > 0 && <Secret />}
      {code ? (
        coloured(part).map((piece, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces are their places
          <span key={n} data-colour={piece.colour}>
            <Exact text={piece.text} />
          </span>
        ))
      ) : (
        <Exact text={part} />
      )}
    </Fragment>
  ));
}
