// Small parts that every page uses, so that the same thing looks and speaks the same everywhere.
import {
  ActionIcon,
  Alert,
  Button,
  Group,
  Popover,
  Skeleton,
  Stack,
  Text,
  Textarea,
  Title,
  Tooltip,
} from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconAlertTriangle, IconCheck, IconCopy } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Link } from 'react-router';
import type { ApiProblem } from '../api/problem';
import { asProblem, OFFLINE, Proposed } from '../api/problem';
import { has, t } from '../strings';
import { copyText } from './copy';
import { exact, relative, sentence, short } from './format';

/** Scrolling page with its title in the document and on the screen. */
export function PageBody(props: {
  title: string;
  intro?: ReactNode;
  action?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  useDocumentTitle(`${props.title} · Fractal`);
  return (
    <div className="page" data-wide={props.wide || undefined}>
      <Group justify="space-between" align="flex-start" mb={props.intro ? 'lg' : 'md'} gap="md">
        <div style={{ flex: 1, minWidth: 220 }}>
          <Title order={1}>{props.title}</Title>
          {props.intro && (
            <Text c="dimmed" size="sm" mt={4} className="prose">
              {props.intro}
            </Text>
          )}
        </div>
        {props.action}
      </Group>
      {props.children}
    </div>
  );
}

export function Section(props: {
  title: string;
  intro?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="section">
      <div className="section-head">
        <div>
          <Title order={2}>{props.title}</Title>
          {props.intro && (
            <Text c="dimmed" size="sm" className="prose">
              {props.intro}
            </Text>
          )}
        </div>
        {props.action}
      </div>
      {props.children}
    </section>
  );
}

/** The words for a problem: ours where we have better ones in the reader's language, else the server's. */
export function problemWords(problem: ApiProblem): { title: string; detail?: string; remedy?: string } {
  if (problem.code === OFFLINE) return { title: t('problem.offline'), remedy: t('problem.offline.remedy') };
  const key = `problem.${problem.code}`;
  const remedy = problem.remedy ?? (has(`${key}.remedy`) ? t(`${key}.remedy` as never) : undefined);
  return {
    title: has(key) ? t(key) : problem.title,
    ...(problem.detail ? { detail: sentence(problem.detail) } : {}),
    ...(remedy ? { remedy: sentence(remedy) } : {}),
  };
}

export function ProblemAlert(props: { error: unknown; shown?: readonly string[]; onRetry?: () => void }) {
  // What waits for approval did not fail, and the frame tells it.
  if (!props.error || props.error instanceof Proposed) return null;
  const problem = asProblem(props.error);
  const others = problem.otherFields(props.shown ?? []);
  // Everything wrong already stands beside its input.
  if (problem.code === 'invalid-fields' && Object.keys(problem.fields).length > 0 && others.length === 0) {
    return null;
  }
  const words = problemWords(problem);
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} />}
      title={words.title}
      role="alert"
    >
      <Stack gap={4}>
        {words.detail && <Text size="sm">{words.detail}</Text>}
        {others.map((line) => (
          <Text size="sm" key={line}>
            {line}
          </Text>
        ))}
        {words.remedy && <Text size="sm">{words.remedy}</Text>}
        {problem.requestId && problem.status >= 500 && (
          <Text size="xs" className="mono">
            {t('problem.reference', { id: problem.requestId })}
          </Text>
        )}
        {props.onRetry && (
          <div>
            <Button size="xs" variant="default" mt={4} onClick={props.onRetry}>
              {t('common.tryAgain')}
            </Button>
          </div>
        )}
      </Stack>
    </Alert>
  );
}

/** Skeletons while loading, the problem when it failed, the content when it is there. */
export function Loaded<T>(props: {
  query: { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const { data, error } = props.query;
  if (data !== undefined) return <>{props.children(data)}</>;
  if (error) return <ProblemAlert error={error} onRetry={() => void props.query.refetch()} />;
  return (
    <Stack gap="xs" aria-busy="true" aria-label={t('common.loading')} role="status">
      {Array.from({ length: props.rows ?? 3 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <Skeleton key={i} height={56} radius="md" animate={false} />
      ))}
    </Stack>
  );
}

export function Empty(props: { icon?: ReactNode; title: string; hint?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      {props.icon}
      <strong>{props.title}</strong>
      {props.hint && (
        <Text size="sm" className="prose">
          {props.hint}
        </Text>
      )}
      {props.action && <div style={{ marginTop: 8 }}>{props.action}</div>}
    </div>
  );
}

export function NotFound() {
  return (
    <PageBody title={t('notFound.title')} intro={t('notFound.hint')}>
      <Button component={Link} to="/">
        {t('notFound.action')}
      </Button>
    </PageBody>
  );
}

export function Time({ at, fallback }: { at: string | null | undefined; fallback?: string }) {
  if (!at) return <span>{fallback ?? '–'}</span>;
  return (
    <time dateTime={at} title={exact(at)}>
      {relative(at)}
    </time>
  );
}

/** Copies. Where the browser does not let us, it says so and has the text ready to be copied by hand. */
export function Copy({ text, label, size = 18 }: { text: string; label?: string; size?: number }) {
  const [went, setWent] = useState<'well' | 'wrong' | undefined>();
  useEffect(() => {
    if (went !== 'well') return;
    const timer = setTimeout(() => setWent(undefined), 1500);
    return () => clearTimeout(timer);
  }, [went]);
  const copy = async (beside: Element) => setWent((await copyText(text, beside)) ? 'well' : 'wrong');
  const words = went === 'well' ? t('common.copied') : (label ?? t('common.copy'));
  return (
    <>
      <Tooltip label={words} disabled={went === 'wrong'}>
        <ActionIcon
          variant="subtle"
          color="gray"
          onClick={(event) => void copy(event.currentTarget)}
          aria-label={words}
        >
          {went === 'well' ? <IconCheck size={size} /> : <IconCopy size={size} />}
        </ActionIcon>
      </Tooltip>
      {went === 'wrong' && <ByHand text={text} label={words} onClose={() => setWent(undefined)} />}
    </>
  );
}

/** The text, selected: what the person does next is what the browser did not let us do. */
function ByHand({ text, label, onClose }: { text: string; label: string; onClose: () => void }) {
  return (
    <Popover opened onDismiss={onClose} width={320} shadow="md" trapFocus returnFocus withRoles={false}>
      <Popover.Target>
        <span />
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={label}>
        <Text size="sm" mb={4} role="alert">
          {t('common.copyFailed')}
        </Text>
        <Textarea
          value={text}
          readOnly
          autosize
          maxRows={6}
          aria-label={label}
          // Escape closes this, and not the dialog below it.
          data-mantine-stop-propagation
          data-autofocus
          onFocus={(event) => event.currentTarget.select()}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

export function Id({ id }: { id: string }) {
  return (
    <Group gap={4} wrap="nowrap" component="span" display="inline-flex">
      <span className="mono" title={id}>
        {short(id)}
      </span>
      <Copy text={id} size={14} label={t('common.copyId')} />
    </Group>
  );
}

export function Logo({ size = 22 }: { size?: number }) {
  return <img src="/favicon.svg" width={size} height={size} alt="" />;
}
