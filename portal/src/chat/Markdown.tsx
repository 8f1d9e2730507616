// What agents write is not trusted: no raw HTML, no images (an address can carry secrets out), links only to
// the web and to mail, opened apart without telling where from.
import { IconExternalLink, IconPhotoOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import { t } from '../strings';
import { CodeBlock } from './CodeBlock';
import { readGfm } from './gfm';
import { headingsInOrder } from './headings';

const LINK = /^(https?:|mailto:)/i;

function External({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

const components: Components = {
  a: ({ href, children }) =>
    href && LINK.test(href) ? <External href={href}>{children}</External> : <>{children}</>,
  img: ({ src, alt }) => {
    const address = typeof src === 'string' && LINK.test(src) ? src : undefined;
    const words = (
      <>
        <IconPhotoOff size={15} aria-hidden />{' '}
        {t('markdown.image', { alt: alt || t('markdown.image.unnamed') })}
      </>
    );
    return (
      <span className="blocked-image">
        {address ? (
          <External href={address}>
            {words} <IconExternalLink size={13} aria-hidden />
          </External>
        ) : (
          words
        )}
      </span>
    );
  },
  table: ({ children }) => (
    <section className="table-scroll" tabIndex={0} aria-label={t('markdown.table')}>
      <table>{children}</table>
    </section>
  ),
  input: ({ checked }) => (
    <input type="checkbox" checked={!!checked} readOnly disabled aria-label={t('markdown.task')} />
  ),
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children, node }) => {
    const text = String(children ?? '');
    const language = /language-([\w+#.-]+)/.exec(className ?? '')?.[1];
    const block = language !== undefined || text.includes('\n') || isBlock(node);
    if (!block) return <code>{children}</code>;
    return <CodeBlock code={text.replace(/\n$/, '')} language={language} />;
  },
};

/** A fenced block of one line without a language looks like inline code but for its final line break. */
function isBlock(node: { children?: { type: string; value?: unknown }[] } | undefined): boolean {
  const first = node?.children?.[0];
  return first?.type === 'text' && typeof first.value === 'string' && first.value.endsWith('\n');
}

const plugins = [readGfm, headingsInOrder];

export default function Markdown({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={plugins} components={components} skipHtml={false}>
      {text}
    </ReactMarkdown>
  );
}
