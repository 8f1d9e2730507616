// A block of code: its language, copying and wrapping always in sight, and colours once the highlighter has arrived.
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconTextWrap } from '@tabler/icons-react';
import { Fragment, type ReactNode, useEffect, useState } from 'react';
import { t } from '../strings';
import { Copy } from '../ui/bits';
import type { Highlighted } from './highlight';

export function CodeBlock({ code, language }: { code: string; language: string | undefined }) {
  const [tree, setTree] = useState<{ of: string; nodes: Highlighted } | undefined>();
  const [wrapped, setWrapped] = useState(false);
  useEffect(() => {
    if (!language) return;
    let gone = false;
    // Not while it grows with every word: wait for a short rest.
    const timer = setTimeout(() => {
      import('./highlight')
        .then(({ highlight }) => highlight(code, language))
        .then((nodes) => !gone && nodes && setTree({ of: code, nodes }))
        .catch(() => {});
    }, 60);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [code, language]);

  return (
    <figure className="code" aria-label={t('markdown.code', { language: language ?? t('markdown.text') })}>
      <figcaption>
        <span>{language ?? t('markdown.text')}</span>
        <span className="code-tools">
          <Tooltip label={t('markdown.wrap')}>
            <ActionIcon
              variant={wrapped ? 'light' : 'subtle'}
              color="gray"
              aria-label={t('markdown.wrap')}
              aria-pressed={wrapped}
              onClick={() => setWrapped(!wrapped)}
            >
              <IconTextWrap size={16} />
            </ActionIcon>
          </Tooltip>
          <Copy text={code} label={t('markdown.copyCode')} size={16} />
        </span>
      </figcaption>
      <pre tabIndex={0} data-wrapped={wrapped || undefined}>
        <code>{tree?.of === code ? draw(tree.nodes) : code}</code>
      </pre>
    </figure>
  );
}

function draw(nodes: Highlighted): ReactNode {
  return nodes.map((node, i) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text never changes its order
    if (node.type === 'text') return <Fragment key={i}>{node.value}</Fragment>;
    if (node.type !== 'element') return null;
    const { className } = node.properties;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text never changes its order
      <span key={i} className={Array.isArray(className) ? className.join(' ') : undefined}>
        {draw(node.children)}
      </span>
    );
  });
}
