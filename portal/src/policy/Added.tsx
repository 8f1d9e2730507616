// The rules of one's own: written, checked while they are written, tried, and put in force.
import { Alert, Anchor, Button, Group, Stack } from '@mantine/core';
import { IconCircleCheck, IconShieldCheck } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { asProblem } from '../api/problem';
import type { PolicyView } from '../api/types';
import { can, useMe } from '../app/session';
import { t } from '../strings';
import { Empty } from '../ui/bits';
import { CodeArea, type Jump } from './CodeArea';
import { Aside, Conflict } from './Conflict';
import { useCheck } from './check';
import type { Drafting } from './draft';
import { Findings } from './Findings';
import { Force, Reset } from './Force';
import { Impact } from './Impact';
import { offsetOf } from './place';
import { Tests } from './Tests';

/** A rule that is sound as it stands, to begin with. */
const SAMPLE = `@id("no-members")
forbid (principal is User, action == Action::"instance.create", resource)
when { principal has role && principal.role == "member" };
`;

export function Added({ view, drafting }: { view: PolicyView; drafting: Drafting }) {
  const me = useMe();
  const editable = can(me, 'policy.update');
  const checked = useCheck(drafting.draft);
  const area = useRef<Jump>(null);
  const [done, setDone] = useState<number | undefined>();
  const [refused, setRefused] = useState<unknown>(null);
  const { draft } = drafting;
  const empty = draft.text.trim() === '';
  const findings = checked.check?.findings ?? [];
  const sound = checked.current && findings.every((one) => one.severity !== 'error');
  const change = (text: string) => {
    setDone(undefined);
    setRefused(null);
    drafting.edit({ text });
  };

  if (!editable && view.text.trim() === '' && view.tests.length === 0)
    return (
      <Empty
        icon={<IconShieldCheck size={36} stroke={1.4} aria-hidden />}
        title={t('rules.none')}
        hint={t('rules.none.hint')}
      />
    );
  return (
    <Stack gap="md">
      {done !== undefined && (
        <Alert
          color="green"
          className="note"
          data-tone="good"
          variant="light"
          role="status"
          icon={<IconCircleCheck size={18} />}
          title={t('rules.done', { n: done })}
        />
      )}
      {drafting.overtaken && <Conflict view={view} drafting={drafting} />}
      <Aside drafting={drafting} />
      <div>
        <CodeArea
          ref={area}
          label={t('rules.text')}
          hint={
            drafting.changed
              ? t('rules.text.changed', { n: draft.base })
              : t('rules.text.inForce', { n: view.version })
          }
          value={draft.text}
          onChange={editable ? change : undefined}
          marks={findings}
          rows={10}
          invalid={findings.some((one) => one.severity === 'error')}
        />
        <Findings
          checked={checked}
          empty={empty}
          refused={refused ? asProblem(refused).fields.text : undefined}
          onJump={(one) => area.current?.to(offsetOf(draft.text, one.line, one.column))}
        />
        <Group gap="md" mt="xs">
          {editable && empty && (
            <Button size="xs" variant="default" onClick={() => change(SAMPLE)}>
              {t('rules.sample')}
            </Button>
          )}
          <details className="schema">
            <summary>{t('rules.schema')}</summary>
            <pre tabIndex={0}>{view.schema}</pre>
          </details>
          <Anchor size="sm" href="https://docs.cedarpolicy.com/" target="_blank" rel="noreferrer">
            {t('rules.language')}
          </Anchor>
        </Group>
      </div>
      <Tests drafting={drafting} checked={checked} editable={editable} />
      {editable && (
        <>
          <Impact text={draft.text} sound={sound} />
          <Force
            view={view}
            drafting={drafting}
            checked={checked}
            onRefused={setRefused}
            onDone={(version) => {
              setDone(version);
              document.getElementById('main')?.querySelector('.content')?.scrollTo({ top: 0 });
            }}
          />
          {can(me, 'policy.reset') && view.text.trim() !== '' && (
            <Reset drafting={drafting} onDone={setDone} />
          )}
        </>
      )}
    </Stack>
  );
}
