// What is known about the whole log, in one line above it: it only grew since the first look, or an alarm.
import { Alert, Button, Skeleton, Text } from '@mantine/core';
import { IconAlertTriangle, IconInfoCircle, IconPin, IconShieldCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { t, tn } from '../strings';
import { ProblemAlert, Time } from '../ui/bits';
import { moment } from '../ui/format';
import { Checks, Unable } from './Checks';
import { headQuery, type Look } from './look';

export function HeadCard({ onMore }: { onMore: () => void }) {
  const query = useQuery(headQuery);
  if (query.error) return <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data)
    return <Skeleton height={66} radius="md" animate={false} aria-label={t('common.loading')} />;
  return <Known look={query.data} onMore={onMore} />;
}

function Known({ look, onMore }: { look: Look; onMore: () => void }) {
  const { able, head, check } = look;
  const more = (
    <Button size="xs" variant="default" onClick={onMore}>
      {t('head.more')}
    </Button>
  );
  if (!check)
    return (
      <Line Icon={IconInfoCircle} title={t('head.unable')} action={more}>
        <Unable able={able} />
      </Line>
    );
  const broken = check.steps.filter((step) => step.state === 'failed');
  if (broken.length > 0) {
    const changed = broken.some((step) => step.name === 'key');
    return (
      <Alert
        color="red"
        role="alert"
        className="alarm"
        icon={<IconAlertTriangle size={20} />}
        title={changed ? t('head.changedKey') : t('head.alarm')}
      >
        <Checks steps={broken} />
        <Text size="sm" my="sm" className="prose">
          {changed ? t('head.changedKey.remedy') : t('head.alarm.remedy')}
        </Text>
        {more}
      </Alert>
    );
  }
  if (head.size === 0) return null;
  const growth = check.steps.find((step) => step.name === 'growth');
  const figures = (
    <>
      {tn('head.size', head.size)} · {t('head.signed')} <Time at={head.signed_at} />
    </>
  );
  if (growth?.state === 'first')
    return (
      <Line Icon={IconPin} title={t('head.first')} action={more}>
        {figures} · {t('head.first.hint')}
      </Line>
    );
  return (
    <Line
      tone="good"
      Icon={IconShieldCheck}
      title={t('head.grew', { since: moment(String(growth?.with?.since)) })}
      action={more}
    >
      {figures} · {t('head.grew.hint')}
    </Line>
  );
}

function Line(props: {
  Icon: typeof IconPin;
  title: string;
  tone?: string;
  action: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="card head-card" data-tone={props.tone} aria-label={t('head.label')}>
      <props.Icon className="head-sign" size={20} aria-hidden />
      <div className="row-main">
        <Text fw={600} size="sm">
          {props.title}
        </Text>
        <Text size="sm" c="dimmed" component="div">
          {props.children}
        </Text>
      </div>
      {props.action}
    </section>
  );
}
