// Two things that nobody should lose a text by: another version that came meanwhile, and what was set aside for another text.
import { Alert, Button, Group, Stack } from '@mantine/core';
import { IconGitMerge, IconStack2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { policyVersionQuery } from '../api/queries';
import type { PolicyView } from '../api/types';
import { t } from '../strings';
import { Copy, Time } from '../ui/bits';
import { Diff } from './Diff';
import type { Drafting } from './draft';

export function Conflict({ view, drafting }: { view: PolicyView; drafting: Drafting }) {
  const { base } = drafting.draft;
  const theirs = useQuery(policyVersionQuery(view.version)).data;
  const before = useQuery({ ...policyVersionQuery(base), enabled: base > 0 }).data;
  const known = base === 0 || before !== undefined;
  return (
    <Alert
      color="yellow"
      className="note"
      data-tone="attention"
      variant="light"
      icon={<IconGitMerge size={18} />}
      title={t('rules.conflict', { n: view.version })}
      role="alert"
    >
      <Stack gap="sm">
        <div>
          {theirs && (
            <div>
              {theirs.author?.username ?? t('rules.onMachine')}, <Time at={theirs.created_at} />
              {theirs.comment && <>: {theirs.comment}</>}
            </div>
          )}
          {t('rules.conflict.why', { base, n: view.version })}
        </div>
        {known && (
          <details>
            <summary>{t('rules.conflict.what', { n: view.version })}</summary>
            <Diff
              before={before?.text ?? ''}
              after={view.text}
              label={t('rules.conflict.what', { n: view.version })}
            />
          </details>
        )}
        <Group gap="xs">
          <Button onClick={drafting.takeInForce}>{t('rules.conflict.load', { n: view.version })}</Button>
          <Button variant="default" onClick={drafting.rebase}>
            {t('rules.conflict.keep')}
          </Button>
        </Group>
        <div className="rule-why">{t('rules.conflict.safe')}</div>
      </Stack>
    </Alert>
  );
}

export function Aside({ drafting }: { drafting: Drafting }) {
  if (!drafting.aside) return null;
  return (
    <Alert color="gray" variant="light" icon={<IconStack2 size={18} />} title={t('rules.aside')}>
      <Group gap="xs">
        <Button size="xs" variant="default" onClick={drafting.bringBack}>
          {t('rules.aside.back')}
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={drafting.dropAside}>
          {t('rules.aside.drop')}
        </Button>
        <Copy text={drafting.aside.text} label={t('rules.aside.copy')} />
      </Group>
    </Alert>
  );
}
