// One operation: what is done to what, how far it is, step by step, and what whoever reads may do about it.
import './operations.css';
import { Alert, Anchor, Button, Group, Skeleton, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconArrowLeft,
  IconArrowRight,
  IconClock,
  IconPlayerSkipForward,
  IconRefresh,
  IconRoute,
  IconX,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link, useParams } from 'react-router';
import { asProblem } from '../api/problem';
import { operationQuery, queryClient } from '../api/queries';
import type { OperationView } from '../api/types';
import { can, isAdmin, useMe } from '../app/session';
import { type Names, useNames } from '../evidence/words';
import { t } from '../strings';
import { Empty, Id, ProblemAlert, Section, Time } from '../ui/bits';
import { duration, exact, sentence } from '../ui/format';
import { CHOICES, type Choice, Choose } from './dialogs';
import { current, engines, generation, goesBack, isSomething, tookInAll } from './progress';
import { Steps } from './Steps';
import { onWhat, State, useNow, what, where, why } from './words';

export default function OperationPage() {
  const { id = '' } = useParams();
  const names = useNames();
  const query = useQuery(operationQuery(id));
  const operation = query.data;
  useDocumentTitle(`${operation ? what(operation, names) : t('nav.operations')} · Fractal`);
  return (
    <div className="page">
      <Button
        component={Link}
        to="/operations"
        variant="subtle"
        color="gray"
        size="compact-sm"
        ml={-8}
        mb="xs"
        leftSection={<IconArrowLeft size={16} />}
      >
        {t('nav.operations')}
      </Button>
      {operation ? (
        <Body key={id} operation={operation} names={names} />
      ) : query.error ? (
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton height={320} animate={false} aria-label={t('common.loading')} />
      )}
    </div>
  );
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  // The server says the same of what there is not and of what is not for whoever asks.
  if (asProblem(error).status !== 404) return <ProblemAlert error={error} onRetry={onRetry} />;
  return (
    <>
      <h1 className="visually-hidden">{t('nav.operations')}</h1>
      <div className="card">
        <Empty
          icon={<IconRoute size={36} stroke={1.4} aria-hidden />}
          title={t('operation.notFound')}
          hint={t('operation.notFound.hint')}
        />
      </div>
    </>
  );
}

function Body({ operation, names }: { operation: OperationView; names: Names }) {
  const me = useMe();
  const { state, by } = operation;
  const now = useNow(state === 'running' || state === 'undoing');
  const [choosing, setChoosing] = useState<Choice | undefined>();
  const took = (view: OperationView) => {
    queryClient.setQueryData(operationQuery(operation.id).queryKey, view);
    void queryClient.invalidateQueries({ queryKey: ['operations'] });
    void queryClient.invalidateQueries({ queryKey: ['instance', operation.resource_id] });
  };
  const time = tookInAll(operation, now);
  const place = where(operation);
  return (
    <>
      <Group justify="space-between" align="flex-start" gap="md">
        <div style={{ flex: 1, minWidth: 220 }}>
          <Title order={1} className="operation-what">
            {what(operation, names)}
          </Title>
          <div className="operation-state">
            <span role="status">
              <State of={state} />
            </span>
            <Text span size="sm" c="dimmed">
              {by && (
                <>
                  {by.id === me?.id
                    ? t('operation.askedByYou')
                    : t('operation.askedBy', { name: by.username })}
                  {' · '}
                </>
              )}
              <Time at={operation.created_at} />
            </Text>
          </div>
        </div>
        <Actions operation={operation} onChoose={setChoosing} />
      </Group>
      <div className="operation-notices">
        <Notice operation={operation} />
      </div>
      <Section
        title={t('operation.steps')}
        intro={place || undefined}
        action={time !== undefined && <span className="operation-total">{duration(time)}</span>}
      >
        <Steps operation={operation} now={now} />
      </Section>
      <Facts operation={operation} names={names} />
      {choosing && (
        <Choose
          choice={choosing}
          operation={operation}
          onChosen={took}
          onClose={() => {
            setChoosing(undefined);
            // Where it was refused, it is another than it was.
            void queryClient.invalidateQueries({ queryKey: operationQuery(operation.id).queryKey });
          }}
        />
      )}
    </>
  );
}

const ICONS = {
  cancel: IconX,
  undo: IconArrowBackUp,
  skip: IconPlayerSkipForward,
  retry: IconRefresh,
} as const;

function Actions(props: { operation: OperationView; onChoose: (choice: Choice) => void }) {
  return (
    <Group gap="xs">
      {CHOICES.filter((choice) => props.operation.can[choice]).map((choice) => {
        const Icon = ICONS[choice];
        return (
          <Button
            key={choice}
            variant={choice === 'retry' ? 'filled' : 'default'}
            leftSection={<Icon size={16} />}
            onClick={() => props.onChoose(choice)}
          >
            {t(`operation.${choice}`)}
          </Button>
        );
      })}
    </Group>
  );
}

/** Why it is as it is, and what comes next, where there is something to say. */
function Notice({ operation }: { operation: OperationView }) {
  const { state, can: may, cancelled_by: by, steps } = operation;
  const reason = why(operation);
  if (state === 'stuck') {
    const back = goesBack(operation);
    const error = steps[current(operation)]?.error;
    const choice = may.retry || may.skip || may.undo;
    return (
      <Alert
        color="red"
        variant="light"
        role="alert"
        icon={<IconAlertTriangle size={18} />}
        title={t(back ? 'operation.stuck.back' : 'operation.stuck')}
      >
        {/* What stopped it stands at its step. */}
        {reason && reason !== error && (
          <Text size="sm">{t('operation.turned', { why: sentence(reason) })}</Text>
        )}
        <Text size="sm">{t(choice ? 'operation.stuck.choose' : 'operation.stuck.others')}</Text>
      </Alert>
    );
  }
  if (state === 'undoing') {
    return (
      <Alert
        color="yellow"
        variant="light"
        className="operation-note"
        icon={<IconArrowBackUp size={18} />}
        title={t('operation.undoing')}
      >
        {reason && <Text size="sm">{sentence(reason)}</Text>}
        <Text size="sm">{t('operation.undoing.hint')}</Text>
      </Alert>
    );
  }
  if (state === 'undone') {
    const nothing = steps.every((step) => step.state === 'pending');
    const partly = steps.some((step) => step.state === 'skipped');
    return (
      <Hint Icon={IconArrowBackUp}>
        {reason && (
          <Text size="sm" fw={600}>
            {sentence(reason)}
          </Text>
        )}
        <Text size="sm">
          {t(
            nothing
              ? 'operation.undone.nothing'
              : partly
                ? 'operation.undone.partly'
                : 'operation.undone.hint',
          )}
        </Text>
      </Hint>
    );
  }
  if (state === 'running' && by) {
    return (
      <Alert
        color="yellow"
        variant="light"
        className="operation-note"
        icon={<IconX size={18} />}
        title={t('operation.cancelledBy', { name: by })}
      >
        <Text size="sm">{t('operation.cancelling')}</Text>
      </Alert>
    );
  }
  if (state === 'pending') {
    return (
      <Hint Icon={IconClock}>
        <Text size="sm">{t('operation.pending.hint')}</Text>
      </Hint>
    );
  }
  return null;
}

function Hint({ Icon, children }: { Icon: typeof IconClock; children: ReactNode }) {
  return (
    <div className="operation-hint">
      <Icon size={18} aria-hidden />
      <div>{children}</div>
    </div>
  );
}

function Facts({ operation, names }: { operation: OperationView; names: Names }) {
  const me = useMe();
  const versions = engines(operation.input);
  const key = generation(operation.kind, operation.input);
  const name = onWhat(operation, names);
  const { by, owner, proposal_id: proposal } = operation;
  const times = [
    ['operation.created', operation.created_at],
    ['operation.started', operation.started_at],
    ['operation.settled', operation.settled_at],
  ] as const;
  return (
    <dl className="facts operation-facts">
      <dt>{t('operation.on')}</dt>
      <dd>
        {operation.resource_kind === 'instance' ? (
          <Anchor component={Link} to={`/instances/${operation.resource_id}`} size="sm">
            {name}
          </Anchor>
        ) : operation.resource_kind === 'settings' && isAdmin(me) ? (
          <Anchor component={Link} to="/settings/installation" size="sm">
            {name}
          </Anchor>
        ) : (
          name
        )}
      </dd>
      {key !== undefined && (
        <>
          <dt>{t('operation.key')}</dt>
          <dd>{t('operation.key.generation', { n: key })}</dd>
        </>
      )}
      {versions && (
        <>
          <dt>{t('operation.engine')}</dt>
          <dd className="operation-engines">
            OpenClaw {versions.from}
            <IconArrowRight size={14} role="img" aria-label={t('operation.engine.becomes')} />
            {versions.to}
          </dd>
        </>
      )}
      {owner && owner.id !== by?.id && (
        <>
          <dt>{t('operation.owner')}</dt>
          <dd>{owner.id === me?.id ? t('operation.byYou') : owner.username}</dd>
        </>
      )}
      <dt>{t('operation.by')}</dt>
      <dd>
        {by ? (by.id === me?.id ? t('operation.byYou') : by.username) : t('operation.nobody')}
        {proposal && (
          <>
            {' · '}
            <Anchor component={Link} to={`/proposals/${proposal}`} size="sm">
              {t('operation.proposal.show')}
            </Anchor>
          </>
        )}
      </dd>
      {times.map(
        ([label, at]) =>
          at && (
            <Fact key={label} label={t(label)}>
              {exact(at)}
            </Fact>
          ),
      )}
      <dt>{t('common.id')}</dt>
      <dd>
        <Id id={operation.id} />
        {can(me, 'evidence.view') && (
          <>
            {' · '}
            <Anchor component={Link} to={`/evidence?resource_id=${operation.id}`} size="sm">
              {t('operation.log')}
            </Anchor>
          </>
        )}
      </dd>
      {!versions && key === undefined && isSomething(operation.input) && (
        <>
          <dt>{t('operation.input')}</dt>
          <dd>
            <pre className="operation-input mono">{JSON.stringify(operation.input, null, 2)}</pre>
          </dd>
        </>
      )}
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}
