// The last step: why, and putting it in force; and the way back to the built-in rules. What keeps it from being done stands beside it.
import { Button, Group, Text, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { api } from '../api/client';
import { asProblem, Proposed } from '../api/problem';
import { policyQuery, policyVersionsQuery, queryClient } from '../api/queries';
import type { PolicyView } from '../api/types';
import { t, tn } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import type { Checked } from './check';
import type { Drafting } from './draft';

/** The rules that are in force now; what this person may do may be another thing under them. */
export async function tookForce(view: PolicyView): Promise<void> {
  queryClient.setQueryData(policyQuery.queryKey, view);
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: policyVersionsQuery.queryKey }),
    // Which version is in force stands in each of them.
    queryClient.invalidateQueries({ queryKey: ['policy-version'] }),
    queryClient.invalidateQueries({ queryKey: ['me'] }),
  ]);
}

/** Why it cannot be put in force yet; nothing when it can. */
function obstacle(drafting: Drafting, { check, current, fault, error }: Checked): string | undefined {
  if (!drafting.changed) return t('rules.force.same');
  if (drafting.overtaken) return t('rules.force.overtaken');
  if (fault || error) return t('rules.force.tests');
  if (!current || !check) return t('rules.checking');
  const errors = check.findings.filter((one) => one.severity === 'error').length;
  if (errors > 0) return tn('rules.force.errors', errors);
  const failed = check.tests.filter((one) => !one.ok).length;
  if (failed > 0) return tn('rules.force.failed', failed);
  return check.ok ? undefined : t('rules.force.unsound');
}

export function Force(props: {
  view: PolicyView;
  drafting: Drafting;
  checked: Checked;
  onRefused: (error: unknown) => void;
  onDone: (version: number) => void;
}) {
  const { drafting, checked, onRefused } = props;
  const { draft } = drafting;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const running = useRef(false);
  const why = obstacle(drafting, checked);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (running.current || why || !checked.tests) return;
    running.current = true;
    setBusy(true);
    setError(null);
    onRefused(null);
    try {
      const view = await api.put<PolicyView>('/api/v1/policy', {
        base_version: draft.base,
        text: draft.text,
        tests: checked.tests,
        comment: draft.comment.trim(),
      });
      drafting.drop();
      props.onDone(view.version);
      await tookForce(view);
    } catch (caught) {
      // Somebody was quicker: with their version here, the page explains it.
      if (asProblem(caught).code === 'conflict') {
        await queryClient.invalidateQueries({ queryKey: policyQuery.queryKey });
      } else if (!(caught instanceof Proposed)) {
        setError(caught);
        onRefused(caught);
      }
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  const fields = error ? asProblem(error).fields : {};
  return (
    <form className="card force" onSubmit={(event) => void submit(event)} aria-label={t('rules.force')}>
      <ProblemAlert error={error} shown={['text', 'comment']} />
      <div className="force-line">
        <TextInput
          label={t('rules.comment')}
          placeholder={t('rules.comment.example')}
          maxLength={500}
          value={draft.comment}
          onChange={(event) => drafting.edit({ comment: event.currentTarget.value })}
          error={fields.comment}
        />
        <Button type="submit" loading={busy} disabled={why !== undefined} aria-describedby="force-why">
          {t('rules.force')}
        </Button>
      </div>
      <Group gap="xs" justify="space-between">
        <Text size="sm" c="dimmed" id="force-why" role="status">
          {why ?? t('rules.force.ready', { n: draft.base + 1 })}
        </Text>
        {drafting.changed && (
          <Button size="xs" variant="subtle" color="gray" onClick={drafting.takeInForce}>
            {t('rules.force.undo')}
          </Button>
        )}
      </Group>
    </form>
  );
}

export function Reset({ drafting, onDone }: { drafting: Drafting; onDone: (version: number) => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <div className="card danger reset">
      <div>
        <Text fw={600}>{t('rules.reset')}</Text>
        <Text size="sm" c="dimmed">
          {t('rules.reset.hint')}
        </Text>
      </div>
      <Button color="red.8" variant="default" onClick={() => setAsking(true)}>
        {t('rules.reset.action')}
      </Button>
      {asking && (
        <Confirm
          title={t('rules.reset.ask')}
          action={t('rules.reset.action')}
          danger
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            const view = await api.post<PolicyView>('/api/v1/policy/reset');
            drafting.takeInForce();
            onDone(view.version);
            await tookForce(view);
          }}
        >
          {t('rules.reset.what')}
        </Confirm>
      )}
    </div>
  );
}
