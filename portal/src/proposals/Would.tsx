// What a change would do, value by value, and whether it still would: asked again, and laid beside what it was.
import { Alert, Anchor, Button, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowRight,
  IconCircleCheck,
  IconCircleX,
  IconLock,
  IconRefresh,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '../api/client';
import type { DryRun, ProposalRequest, ProposalSimulation, ProposalView } from '../api/types';
import { useMe } from '../app/session';
import { useNames } from '../evidence/words';
import { stepWords } from '../operations/steps';
import { t } from '../strings';
import { ProblemAlert, Section } from '../ui/bits';
import { sentence, short } from '../ui/format';
import { shapeOf } from './fields';
import { differences, same } from './progress';
import { Exact, Value } from './Value';
import { fieldWords, valueText } from './words';

export function Would({ proposal }: { proposal: ProposalView }) {
  const me = useMe();
  const [checked, setChecked] = useState<ProposalSimulation | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { simulation, state } = proposal;
  const check = async () => {
    setBusy(true);
    setError(null);
    setChecked(undefined);
    try {
      setChecked(await api.post<ProposalSimulation>(`/api/v1/proposals/${proposal.id}/simulate`));
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section
      title={t(state === 'open' ? 'proposal.would' : simulation ? 'proposal.was' : 'proposal.asked')}
      action={
        state === 'open' &&
        simulation && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconRefresh size={14} />}
            loading={busy}
            onClick={() => void check()}
          >
            {t('proposal.check')}
          </Button>
        )
      }
    >
      <div className="proposal-checked" aria-live="polite">
        <ProblemAlert error={error} />
        {checked && state === 'open' && <Checked checked={checked} />}
      </div>
      {simulation ? (
        <Values run={simulation} request={proposal.request} />
      ) : (
        <div className="card proposal-hidden">
          <IconLock size={18} aria-hidden />
          <Text size="sm">
            {proposal.private && proposal.requester.id !== me?.id
              ? t('proposal.private.hint', { name: proposal.requester.username })
              : t('proposal.would.gone')}
          </Text>
        </div>
      )}
    </Section>
  );
}

function Values({ run, request }: { run: DryRun; request: ProposalRequest | null | undefined }) {
  const values = Object.entries(run.values);
  const body: Record<string, unknown> = request?.body ?? {};
  const fresh = new Set(run.fresh);
  return (
    <>
      {values.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('proposal.values.none')}
        </Text>
      ) : (
        <dl className="proposal-values">
          {values.map(([field, value]) => (
            <div key={field}>
              <dt>{fieldWords(field)}</dt>
              <dd>
                <IconArrowRight size={14} role="img" aria-label={t('proposal.becomes')} />
                <div className="proposal-value">
                  {shapeOf(value) === 'block' && same(value, body[field]) ? (
                    // Once is enough for a long text.
                    <em className="value-word">{t('proposal.asIs')}</em>
                  ) : (
                    <Value
                      name={field}
                      value={value}
                      code={run.action === 'policy.update' && field === 'text'}
                    />
                  )}
                  {fresh.has(field) && (
                    <span className="proposal-fresh">
                      <IconRefresh size={14} aria-hidden />
                      {t('proposal.fresh')}
                    </span>
                  )}
                </div>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {run.steps && run.steps.length > 0 && (
        <div className="proposal-steps">
          <Text size="sm">{t('proposal.steps')}</Text>
          <ol>
            {run.steps.map((step) => (
              <li key={step}>{stepWords(run.action, step)}</li>
            ))}
          </ol>
        </div>
      )}
      <Text size="sm" c="dimmed" mt="sm" component="div">
        {run.instances.length === 0 ? (
          t('proposal.instances.none')
        ) : (
          <>
            {t('proposal.instances')} <Agents ids={run.instances} />
          </>
        )}
      </Text>
    </>
  );
}

function Agents({ ids }: { ids: readonly string[] }) {
  const names = useNames();
  return (
    <span className="proposal-agents">
      {ids.map((id) => {
        const name = names.get(id);
        return name ? (
          <Anchor key={id} component={Link} to={`/instances/${id}`} size="sm">
            {name}
          </Anchor>
        ) : (
          <span key={id} className="mono" title={id}>
            {short(id)}
          </span>
        );
      })}
    </span>
  );
}

function Checked({ checked }: { checked: ProposalSimulation }) {
  const names = useNames();
  const { now, then, problem } = checked;
  if (!now) {
    return (
      <Alert color="red" variant="light" icon={<IconCircleX size={18} />} title={t('proposal.check.cannot')}>
        <Text size="sm">{sentence(problem ?? '')}</Text>
      </Alert>
    );
  }
  if (!checked.changed) {
    return (
      <Alert
        color="green"
        variant="light"
        icon={<IconCircleCheck size={18} />}
        className="proposal-note"
        data-good
      >
        {t('proposal.check.same')}
      </Alert>
    );
  }
  const named = (ids: string[]) => ids.map((id) => names.get(id) ?? short(id));
  const known = (run: DryRun) => ({
    ...run,
    instances: named(run.instances),
    steps: (run.steps ?? []).map((step) => stepWords(run.action, step)),
  });
  const found = then ? differences(known(then), known(now)) : [];
  return (
    <Alert
      color="yellow"
      variant="light"
      className="proposal-note"
      icon={<IconAlertTriangle size={18} />}
      title={t('proposal.check.changed')}
    >
      {found.length === 0 && <Text size="sm">{t('proposal.check.rules')}</Text>}
      <dl className="proposal-differences">
        {found.map(({ part, field, was, is }) => (
          <div key={field ?? part}>
            <dt>
              {field === undefined ? t(`proposal.${part as 'instances' | 'steps'}.short`) : fieldWords(field)}
            </dt>
            <dd>
              <Side sign="-" value={was} />
              <Side sign="+" value={is} />
            </dd>
          </div>
        ))}
      </dl>
    </Alert>
  );
}

function Side({ sign, value }: { sign: '-' | '+'; value: unknown }) {
  if (value === undefined) return null;
  return (
    <div className="mono" data-sign={sign}>
      <span aria-hidden>{sign}</span>
      <span className="visually-hidden">{t(sign === '-' ? 'proposal.then' : 'proposal.now')}</span>
      <span>
        <Exact text={valueText(value)} />
      </span>
    </div>
  );
}
