// One incident: what was found about what, what to do, and who looks after it.
import './incidents.css';
import { Anchor, Button, Group, Skeleton, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconActivityHeartbeat, IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { Link, useParams } from 'react-router';
import { asProblem } from '../api/problem';
import { incidentQuery } from '../api/queries';
import type { IncidentView } from '../api/types';
import { can, useMe } from '../app/session';
import { useNames } from '../evidence/words';
import { t } from '../strings';
import { Empty, Id, ProblemAlert, Time } from '../ui/bits';
import { exact, sentence } from '../ui/format';
import { Acknowledge, AcknowledgeButton } from './dialogs';
import { About, Since, State, Told, title, useOthers } from './words';

export default function IncidentPage() {
  const { id = '' } = useParams();
  const query = useQuery(incidentQuery(id));
  const incident = query.data;
  useDocumentTitle(`${incident ? title(incident) : t('nav.incidents')} · Fractal`);
  return (
    <div className="page">
      <Button
        component={Link}
        to="/incidents"
        variant="subtle"
        color="gray"
        size="compact-sm"
        ml={-8}
        mb="xs"
        leftSection={<IconArrowLeft size={16} />}
      >
        {t('nav.incidents')}
      </Button>
      {incident ? (
        <Body key={id} incident={incident} />
      ) : query.error ? (
        <Failed error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton height={240} animate={false} aria-label={t('common.loading')} />
      )}
    </div>
  );
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  // The server says the same of what there is not and of what is not for whoever asks.
  if (asProblem(error).status !== 404) return <ProblemAlert error={error} onRetry={onRetry} />;
  return (
    <>
      <h1 className="visually-hidden">{t('nav.incidents')}</h1>
      <div className="card">
        <Empty
          icon={<IconActivityHeartbeat size={36} stroke={1.4} aria-hidden />}
          title={t('incident.notFound')}
          hint={t('incident.notFound.hint')}
        />
      </div>
    </>
  );
}

function Body({ incident }: { incident: IncidentView }) {
  const me = useMe();
  const names = useNames();
  const others = useOthers(incident);
  const [answering, setAnswering] = useState(false);
  const times = [
    ['incident.opened', incident.opened_at],
    ['incident.seen', incident.seen_at],
    ['incident.resolved', incident.resolved_at],
  ] as const;
  return (
    <>
      <Group justify="space-between" align="flex-start" gap="md">
        <div style={{ flex: 1, minWidth: 220 }}>
          <Title order={1} className="incident-words">
            {title(incident)}
          </Title>
          <div className="incident-title incident-state">
            <span role="status">
              <State of={incident} />
            </span>
            <Text span size="sm" c="dimmed">
              <About incident={incident} names={names} />
              {' · '}
              <Since incident={incident} />
            </Text>
          </div>
        </div>
        <AcknowledgeButton incident={incident} main onClick={() => setAnswering(true)} />
      </Group>
      <div className="card incident-card">
        <Text size="sm" className="incident-words">
          {sentence(incident.finding)}
        </Text>
        <Told incident={incident} />
      </div>
      <dl className="facts incident-facts">
        {others && (
          <>
            <dt>{t('incident.owner')}</dt>
            <dd>{others}</dd>
          </>
        )}
        {times.map(
          ([label, at]) =>
            at && (
              <Fragment key={label}>
                <dt>{t(label)}</dt>
                <dd>
                  {exact(at)}
                  {label === 'incident.seen' && (
                    <>
                      {' · '}
                      <Time at={at} />
                    </>
                  )}
                </dd>
              </Fragment>
            ),
        )}
        <dt>{t('common.id')}</dt>
        <dd>
          <Id id={incident.id} />
          {can(me, 'evidence.view') && (
            <>
              {' · '}
              <Anchor component={Link} to={`/evidence?resource_id=${incident.id}`} size="sm">
                {t('incident.log')}
              </Anchor>
            </>
          )}
        </dd>
      </dl>
      {answering && <Acknowledge incident={incident} onClose={() => setAnswering(false)} />}
    </>
  );
}
