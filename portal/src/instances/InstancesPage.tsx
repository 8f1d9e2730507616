// The agents and the gateways they run in: one's own; administrators may look at everybody's.
import { Button, Modal, SegmentedControl, Text, TextInput } from '@mantine/core';
import { IconPlus, IconSearch, IconServer } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { api } from '../api/client';
import { instancesQuery, queryClient } from '../api/queries';
import type { InstanceView } from '../api/types';
import { isAdmin, useMe } from '../app/session';
import { t } from '../strings';
import { Empty, Loaded, PageBody, ProblemAlert, Time } from '../ui/bits';
import { bytes } from '../ui/format';
import { StateBadge } from '../ui/StateBadge';
import { useForm } from '../ui/useForm';
import { Activity } from './Activity';

export default function InstancesPage() {
  const me = useMe();
  const [params, setParams] = useSearchParams();
  const everybody = isAdmin(me) && params.has('all');
  const search = params.get('q') ?? '';
  // States come as events; only figures, such as memory in use, have none.
  const query = useQuery({ ...instancesQuery(everybody), refetchInterval: 60_000 });
  const own = useQuery(instancesQuery()).data;
  const change = (name: string, value: string | undefined) =>
    setParams(
      (now) => {
        if (value === undefined) now.delete(name);
        else now.set(name, value);
        return now;
      },
      { replace: true },
    );
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => change('new', '')}>
      {t('instances.new')}
    </Button>
  );
  return (
    <PageBody title={t('nav.agents')} intro={t('instances.intro')} action={create}>
      <div style={{ display: 'flex', gap: 12, flexWrap: 'wrap', marginBottom: 16 }}>
        <TextInput
          style={{ flex: 1, minWidth: 200 }}
          value={search}
          onChange={(event) => change('q', event.currentTarget.value || undefined)}
          placeholder={t('instances.search')}
          aria-label={t('instances.search')}
          leftSection={<IconSearch size={16} />}
        />
        {isAdmin(me) && (
          <SegmentedControl
            size="sm"
            aria-label={t('instances.whose')}
            value={everybody ? 'all' : 'own'}
            onChange={(value) => change('all', value === 'all' ? '' : undefined)}
            data={[
              { value: 'own', label: t('instances.own') },
              { value: 'all', label: t('instances.all') },
            ]}
          />
        )}
      </div>
      <Loaded query={query}>
        {(all) => {
          const needle = search.toLowerCase();
          const list = all.filter((one) =>
            `${one.name} ${one.owner.username} ${one.id}`.toLowerCase().includes(needle),
          );
          if (list.length === 0) {
            return (
              <Empty
                icon={<IconServer size={36} stroke={1.4} aria-hidden />}
                title={needle ? t('instances.noneFound') : t('instances.none')}
                hint={needle ? undefined : t('instances.none.hint')}
                action={needle ? undefined : create}
              />
            );
          }
          return (
            <ul className="rows">
              {list.map((one) => (
                <li key={one.id}>
                  <Row instance={one} owner={everybody} />
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
      {me && own && <Activity me={me} own={own} />}
      {params.has('new') && <Create onClose={() => change('new', undefined)} />}
    </PageBody>
  );
}

function Row({ instance, owner }: { instance: InstanceView; owner: boolean }) {
  return (
    <Link className="row row-link" to={`/instances/${instance.id}`}>
      <div className="row-main">
        <Text fw={600}>{instance.name}</Text>
        <Text size="sm" c="dimmed" lineClamp={2}>
          {owner && `${instance.owner.username} · `}
          {instance.reason ?? (
            <>
              {t('instances.lastActive')} <Time at={instance.last_active_at} fallback={t('common.never')} />
            </>
          )}
        </Text>
      </div>
      <Text size="sm" c="dimmed" className="only-wide">
        {bytes(instance.memory_bytes)}
      </Text>
      <StateBadge instance={instance} />
    </Link>
  );
}

function Create({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const form = useForm({ name: '' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const went = await form.submit(async () => {
      const made = await api.post<InstanceView>('/api/v1/instances', { name: form.values.name.trim() });
      queryClient.setQueryData(['instance', made.id], made);
      void queryClient.invalidateQueries({ queryKey: ['instances'] });
      navigate(`/instances/${made.id}`);
    });
    if (went === 'waits') onClose();
  };
  return (
    <Modal opened onClose={onClose} title={t('instances.new')} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Text size="sm" c="dimmed" mb="md">
          {t('instances.new.hint')}
        </Text>
        <ProblemAlert error={form.error} shown={form.shown} />
        <TextInput label={t('common.name')} maxLength={64} required data-autofocus {...form.text('name')} />
        <Button type="submit" fullWidth mt="md" loading={form.busy}>
          {t('instances.new.action')}
        </Button>
      </form>
    </Modal>
  );
}
