// What is looked at by itself: what each check found last and when; who may has everything looked at now.
import { Button, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconEyeOff,
  IconRefresh,
} from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { checksQuery, queryClient } from '../api/queries';
import type { CheckView } from '../api/types';
import { can, useMe } from '../app/session';
import { has, t, tn, tWord } from '../strings';
import { Empty, Loaded, ProblemAlert, Section, Time } from '../ui/bits';
import { sentence } from '../ui/format';
import { isBlind } from './standing';

export function Checks() {
  const me = useMe();
  const query = useQuery(checksQuery);
  const look = useMutation({
    mutationFn: () => api.post<CheckView[]>('/api/v1/checks/run'),
    onSuccess: (checks) => {
      queryClient.setQueryData(checksQuery.queryKey, checks);
      void queryClient.invalidateQueries({ queryKey: ['incidents'] });
    },
  });
  return (
    <Section
      title={t('incident.checks')}
      intro={t('incident.checks.intro')}
      action={
        can(me, 'check.run') && (
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} />}
            loading={look.isPending}
            onClick={() => look.mutate()}
          >
            {t('incident.checks.now')}
          </Button>
        )
      }
    >
      <Text size="sm" c="dimmed" role="status" mb={look.data ? 12 : 0}>
        {look.data && !look.isPending && looked(look.data)}
      </Text>
      {look.error && (
        <div className="incident-problem">
          <ProblemAlert error={look.error} />
        </div>
      )}
      <Loaded query={query} rows={4}>
        {(checks) =>
          checks.length > 0 ? (
            <ul className="rows incident-checks">
              {checks.map((one) => (
                <li key={one.id} className="row">
                  <Row check={one} />
                </li>
              ))}
            </ul>
          ) : (
            <div className="card">
              <Empty title={t('incident.checks.none')} />
            </div>
          )
        }
      </Loaded>
    </Section>
  );
}

function looked(checks: readonly CheckView[]): string {
  const found = checks.reduce((sum, one) => sum + one.findings, 0);
  const blind = checks.filter(isBlind).length;
  return [
    found > 0 || blind > 0 ? tn('incident.checks.looked.found', found) : t('incident.checks.looked'),
    blind > 0 ? tn('incident.checks.looked.blind', blind) : '',
  ]
    .join(' ')
    .trim();
}

function Row({ check }: { check: CheckView }) {
  const about = `looks.${check.id}.about`;
  return (
    <>
      <div className="row-main">
        <Text size="sm" fw={600} className="incident-words">
          {tWord('looks', check.id)}
        </Text>
        <Text size="sm" c="dimmed" className="incident-words">
          {has(about) ? t(about) : sentence(check.about)}
        </Text>
        {check.error && (
          <Text size="sm" className="incident-words">
            {sentence(check.error)}
          </Text>
        )}
      </div>
      <div className="incident-look">
        <Outcome check={check} />
        {check.looked_at && (
          <Text span size="sm" c="dimmed">
            <Time at={check.looked_at} />
          </Text>
        )}
      </div>
    </>
  );
}

function Outcome({ check }: { check: CheckView }) {
  const [tone, Icon, words] = isBlind(check)
    ? (['attention', IconEyeOff, t('incident.checks.unable')] as const)
    : check.outcome === 'good'
      ? (['good', IconCircleCheck, t('incident.checks.good')] as const)
      : check.outcome === 'attention'
        ? (['attention', IconAlertTriangle, tn('incident.checks.found', check.findings)] as const)
        : check.outcome === 'failed'
          ? (['failed', IconCircleX, tn('incident.checks.found', check.findings)] as const)
          : (['quiet', IconClock, t('incident.checks.waiting')] as const);
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} aria-hidden />
      {words}
    </span>
  );
}
