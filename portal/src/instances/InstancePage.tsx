// One instance: title, state with its reason, main action; then overview, timeline and logs.
import { Alert, Button, Group, NumberInput, Skeleton, Tabs, Text, TextInput, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconArrowLeft, IconInfoCircle, IconMessage } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { api } from '../api/client';
import { useLive } from '../api/live';
import { instanceQuery, queryClient } from '../api/queries';
import type { InstanceView } from '../api/types';
import { useMe } from '../app/session';
import { Banner as Incidents } from '../incidents/Banner';
import { Banner } from '../operations/Banner';
import { t } from '../strings';
import { Id, ProblemAlert, Section, Time } from '../ui/bits';
import { bytes, number } from '../ui/format';
import { InstallProgress } from '../ui/InstallProgress';
import { Sparkline } from '../ui/Sparkline';
import { StateBadge, stateWords } from '../ui/StateBadge';
import { useForm } from '../ui/useForm';
import { InstanceActions, mainAction } from './actions';
import { Logs } from './Logs';
import { addSample, cpuShare, type Sample } from './samples';
import { Timeline } from './Timeline';

export default function InstancePage() {
  const { id = '' } = useParams();
  const me = useMe();
  const query = useQuery(instanceQuery(id));
  const [params, setParams] = useSearchParams();
  const [samples, setSamples] = useState<Sample[]>([]);
  const instance = query.data;
  useDocumentTitle(`${instance?.name ?? t('nav.agents')} · Fractal`);
  useLive(`/api/v1/instances/${encodeURIComponent(id)}/events`, (event) => {
    if (event.event !== 'instance') return;
    const view = JSON.parse(event.data) as InstanceView;
    const before = queryClient.getQueryData<InstanceView>(['instance', id]);
    queryClient.setQueryData(['instance', id], view);
    setSamples((list) => addSample(list, view, Date.now()));
    if (before?.seen !== view.seen) void queryClient.invalidateQueries({ queryKey: ['timeline', id] });
  });

  if (!instance) {
    return (
      <div className="page">
        {query.error ? (
          <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton height={240} animate={false} aria-label={t('common.loading')} />
        )}
      </div>
    );
  }
  const mine = instance.owner.id === me?.id;
  const tab = params.get('tab') ?? 'overview';
  const words = stateWords(instance);
  const pressure = instance.disk_pressure ?? 'ok';
  return (
    <div className="page">
      <Button
        component={Link}
        to="/instances"
        variant="subtle"
        color="gray"
        size="compact-sm"
        ml={-8}
        mb="xs"
        leftSection={<IconArrowLeft size={16} />}
      >
        {t('nav.agents')}
      </Button>
      <Group justify="space-between" align="flex-start" gap="md">
        <div>
          <Title order={1}>{instance.name}</Title>
          <Group gap="xs" mt={4}>
            <StateBadge instance={instance} />
            <Text size="sm" c="dimmed">
              {t(words.hint)}
            </Text>
          </Group>
        </div>
        <Group gap="xs">
          {mine && (
            <Button
              component={Link}
              to={`/?agent=${instance.id}`}
              // One main action: waking where it sleeps, else talking.
              variant={mainAction(instance) === 'start' ? 'default' : 'filled'}
              leftSection={<IconMessage size={16} />}
            >
              {t('nav.chat')}
            </Button>
          )}
          <InstanceActions instance={instance} />
        </Group>
      </Group>
      {instance.operation_id && <Banner id={instance.operation_id} name={instance.name} />}
      {instance.reason && (
        <Alert
          mt="md"
          variant="light"
          color={
            words.tone === 'failed'
              ? 'red'
              : words.tone === 'attention' || pressure !== 'ok'
                ? 'yellow'
                : 'gray'
          }
          icon={<IconInfoCircle size={18} />}
        >
          {pressure !== 'ok' && (
            <Text size="sm" fw={600}>
              {t(`instance.disk.${pressure}`)}
            </Text>
          )}
          {instance.reason}
          {instance.queue_position != null && ` ${t('instance.queue', { n: instance.queue_position })}`}
          {instance.engine_progress && (
            <div style={{ marginTop: 8 }}>
              <InstallProgress progress={instance.engine_progress} />
            </div>
          )}
        </Alert>
      )}
      <Incidents id={instance.id} name={instance.name} />
      <Tabs
        mt="lg"
        value={tab}
        onChange={(value) => setParams(value === 'overview' ? {} : { tab: value ?? '' }, { replace: true })}
      >
        <Tabs.List>
          <Tabs.Tab value="overview">{t('instance.overview')}</Tabs.Tab>
          <Tabs.Tab value="timeline">{t('instance.timeline')}</Tabs.Tab>
          {mine && <Tabs.Tab value="logs">{t('instance.logs')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="overview" pt="lg">
          {tab === 'overview' && (
            <Overview
              instance={instance}
              samples={samples}
              mine={mine}
              mayLimit={me?.permissions.includes('instance.set_limits') ?? false}
            />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="timeline" pt="lg">
          {tab === 'timeline' && <Timeline id={instance.id} />}
        </Tabs.Panel>
        {mine && (
          <Tabs.Panel value="logs" pt="lg">
            {tab === 'logs' && <Logs id={instance.id} />}
          </Tabs.Panel>
        )}
      </Tabs>
    </div>
  );
}

/** Cores in the reader's figures; the unit only where no limit follows that has it. */
function cores(share: number, bounded: boolean): string {
  const n = Math.round(share * 100) / 100;
  return bounded ? number(n) : t('metric.cores', { n });
}

function Overview(props: { instance: InstanceView; samples: Sample[]; mine: boolean; mayLimit: boolean }) {
  const { instance, samples, mine, mayLimit } = props;
  const shares = cpuShare(samples);
  const share = shares.at(-1);
  const limits = instance.limits;
  return (
    <>
      <div className="metrics">
        <Metric
          title={t('metric.memory')}
          value={bytes(instance.memory_bytes)}
          of={limits.memory_bytes == null ? undefined : bytes(limits.memory_bytes)}
          values={samples.flatMap((one) => (one.memory === null ? [] : [one.memory]))}
          limit={limits.memory_bytes ?? null}
        />
        <Metric
          title={t('metric.cpu')}
          value={share === undefined ? '–' : cores(share, limits.cpu_millis != null)}
          of={limits.cpu_millis == null ? undefined : t('metric.cores', { n: limits.cpu_millis / 1000 })}
          values={shares}
          limit={limits.cpu_millis == null ? null : limits.cpu_millis / 1000}
        />
        <Metric
          title={t('metric.disk')}
          value={bytes(instance.disk_bytes)}
          of={limits.disk_bytes == null ? undefined : bytes(limits.disk_bytes)}
          values={samples.flatMap((one) => (one.disk === null ? [] : [one.disk]))}
          limit={limits.disk_bytes ?? null}
        />
      </div>
      <Section title={t('instance.facts')}>
        <div className="card">
          <dl className="facts">
            <dt>{t('common.id')}</dt>
            <dd>
              <Id id={instance.id} />
            </dd>
            <dt>{t('instance.owner')}</dt>
            <dd>{instance.owner.username}</dd>
            <dt>{t('instance.engine')}</dt>
            <dd>OpenClaw {instance.engine_version}</dd>
            <dt>{t('instance.provider')}</dt>
            <dd>
              {instance.provider_ok == null
                ? t('instance.provider.unknown')
                : instance.provider_ok
                  ? t('instance.provider.ok')
                  : t('instance.provider.failed')}
            </dd>
            <dt>{t('instance.started')}</dt>
            <dd>
              <Time at={instance.started_at} />
            </dd>
            <dt>{t('instances.lastActive')}</dt>
            <dd>
              <Time at={instance.last_active_at} fallback={t('common.never')} />
            </dd>
            <dt>{t('instance.restarts')}</dt>
            <dd>{instance.restarts}</dd>
            <dt>{t('instance.created')}</dt>
            <dd>
              <Time at={instance.created_at} />
            </dd>
          </dl>
        </div>
      </Section>
      {mine && (
        <Section title={t('nav.settings')}>
          <Change instance={instance} key={instance.id} />
        </Section>
      )}
      {mayLimit && (
        <Section title={t('instance.limits')}>
          <Limits instance={instance} key={instance.id} />
        </Section>
      )}
    </>
  );
}

function Metric(props: {
  title: string;
  value: string;
  of: string | undefined;
  values: number[];
  limit: number | null;
}) {
  return (
    <div className="card metric">
      <Text size="sm" c="dimmed">
        {props.title}
      </Text>
      <div className="metric-value">
        {props.value}{' '}
        {props.of && (
          <Text span size="sm" c="dimmed" fw={400}>
            {t('metric.of', { limit: props.of })}
          </Text>
        )}
      </div>
      <Sparkline values={props.values} limit={props.limit} label={`${props.title}: ${props.value}`} />
    </div>
  );
}

/** What it may use; for administrators. */
function Limits({ instance }: { instance: InstanceView }) {
  const MIB = 1024 * 1024;
  const form = useForm({ disk_bytes: Math.round((instance.limits.disk_bytes ?? 0) / MIB) });
  const [saved, setSaved] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setSaved(
      (await form.submit(async () => {
        const view = await api.put<InstanceView>(`/api/v1/instances/${instance.id}/limits`, {
          disk_bytes: form.values.disk_bytes * MIB,
        });
        queryClient.setQueryData(['instance', instance.id], view);
        void queryClient.invalidateQueries({ queryKey: ['instances'] });
      })) === 'done',
    );
  };
  return (
    <form className="card" aria-label={t('instance.limits')} onSubmit={(event) => void submit(event)}>
      <ProblemAlert error={form.error} shown={form.shown} />
      <Group align="flex-end" gap="md">
        <NumberInput
          style={{ flex: 1, minWidth: 160 }}
          label={t('instance.limits.disk')}
          min={256}
          max={67_108_864}
          allowDecimal={false}
          value={form.values.disk_bytes}
          onChange={(value) => form.set('disk_bytes', Number(value))}
          error={form.fields.disk_bytes}
        />
        <Button type="submit" loading={form.busy}>
          {t('common.save')}
        </Button>
      </Group>
      <Text size="sm" c="var(--good)" role="status" mt={saved ? 8 : 0}>
        {saved && t('common.savedNow')}
      </Text>
    </form>
  );
}

function Change({ instance }: { instance: InstanceView }) {
  const form = useForm({ name: instance.name, idle_timeout_minutes: instance.idle_timeout_minutes });
  const [saved, setSaved] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setSaved(
      (await form.submit(async () => {
        const view = await api.patch<InstanceView>(`/api/v1/instances/${instance.id}`, {
          name: form.values.name.trim(),
          idle_timeout_minutes: form.values.idle_timeout_minutes,
        });
        queryClient.setQueryData(['instance', instance.id], view);
        void queryClient.invalidateQueries({ queryKey: ['instances'] });
      })) === 'done',
    );
  };
  return (
    <form className="card" aria-label={t('nav.settings')} onSubmit={(event) => void submit(event)}>
      <ProblemAlert error={form.error} shown={form.shown} />
      <Group align="flex-end" gap="md">
        <TextInput
          style={{ flex: 2, minWidth: 200 }}
          label={t('common.name')}
          maxLength={64}
          required
          {...form.text('name')}
        />
        <NumberInput
          style={{ flex: 1, minWidth: 160 }}
          label={t('instance.idle')}
          min={1}
          max={10080}
          allowDecimal={false}
          value={form.values.idle_timeout_minutes}
          onChange={(value) => form.set('idle_timeout_minutes', Number(value))}
          error={form.fields.idle_timeout_minutes}
        />
        <Button type="submit" loading={form.busy}>
          {t('common.save')}
        </Button>
      </Group>
      <Text size="sm" c="var(--good)" role="status" mt={saved ? 8 : 0}>
        {saved && t('common.savedNow')}
      </Text>
    </form>
  );
}
