// Model providers: what is stored, whether it works, and testing it now. A key is never shown again, only its end.
import { Badge, Button, Drawer, Group, Stack, Switch, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconPlugConnected, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useSearchParams } from 'react-router';
import { api } from '../api/client';
import { providersQuery, queryClient } from '../api/queries';
import type { ProviderTest, ProviderView } from '../api/types';
import { isAdmin, useMe } from '../app/session';
import { t, tn } from '../strings';
import { Empty, Loaded, PageBody, ProblemAlert, Time } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import {
  emptyProvider,
  KindPicker,
  ProviderFields,
  providerBody,
  providerKind,
  TestResult,
} from '../ui/providers';
import { useForm } from '../ui/useForm';

const refresh = () => queryClient.invalidateQueries({ queryKey: providersQuery.queryKey });

export function ProviderSettings() {
  const query = useQuery(providersQuery);
  const [params, setParams] = useSearchParams();
  const editing = query.data?.find((one) => one.id === params.get('edit'));
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setParams({ new: '' })}>
      {t('provider.add')}
    </Button>
  );
  return (
    <PageBody title={t('settings.providers')} intro={t('provider.intro')} action={add}>
      <Loaded query={query}>
        {(list) =>
          list.length === 0 ? (
            <Empty
              icon={<IconPlugConnected size={36} stroke={1.4} aria-hidden />}
              title={t('provider.none')}
              hint={t('provider.none.hint')}
              action={add}
            />
          ) : (
            <Stack gap="sm">
              {list.map((one) => (
                <Card key={one.id} provider={one} onEdit={() => setParams({ edit: one.id })} />
              ))}
            </Stack>
          )
        }
      </Loaded>
      {(params.has('new') || editing) && (
        <Editor key={editing?.id ?? 'new'} provider={editing} onClose={() => setParams({})} />
      )}
    </PageBody>
  );
}

function Card({ provider, onEdit }: { provider: ProviderView; onEdit: () => void }) {
  const [test, setTest] = useState<ProviderTest | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [deleting, setDeleting] = useState(false);
  const run = async () => {
    setBusy(true);
    setError(null);
    setTest(undefined);
    try {
      setTest(await api.post<ProviderTest>(`/api/v1/providers/${provider.id}/test`));
      void refresh();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="card" aria-label={provider.name}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ flex: 1, minWidth: 220 }}>
          <Group gap="xs">
            <Text fw={600}>{provider.name}</Text>
            {provider.shared && (
              <Badge variant="default" size="sm" tt="none">
                {t('provider.shared')}
              </Badge>
            )}
            <Health provider={provider} />
          </Group>
          <Text size="sm" c="dimmed">
            {providerKind(provider.type)}
            {provider.base_url && ` · ${provider.base_url}`}
            {' · '}
            {tn('provider.modelCount', provider.models.length)}
            {provider.type !== 'demo' &&
              ` · ${provider.key_hint ? t('provider.keyHint', { hint: provider.key_hint }) : t('provider.noKey')}`}
          </Text>
          {provider.checked_at && (
            <Text size="xs" c="dimmed">
              {t('provider.checked')} <Time at={provider.checked_at} />
            </Text>
          )}
        </div>
        <Group gap="xs">
          <Button size="xs" variant="default" loading={busy} onClick={() => void run()}>
            {t('provider.testNow')}
          </Button>
          {provider.editable && (
            <Button size="xs" variant="default" onClick={onEdit}>
              {t('common.edit')}
            </Button>
          )}
          {provider.deletable && (
            <Button size="xs" variant="subtle" color="red" onClick={() => setDeleting(true)}>
              {t('common.delete')}
            </Button>
          )}
        </Group>
      </Group>
      {(test || error !== null || (provider.ok === false && provider.error)) && (
        <div style={{ marginTop: 12 }}>
          <ProblemAlert error={error} />
          {test ? (
            <TestResult test={test} />
          ) : (
            provider.ok === false &&
            !error && (
              <Text size="sm" c="var(--failed)">
                {provider.error}
              </Text>
            )
          )}
        </div>
      )}
      {deleting && (
        <Confirm
          title={t('provider.delete.title', { name: provider.name })}
          action={t('common.delete')}
          danger
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await api.delete(`/api/v1/providers/${provider.id}`);
            await refresh();
          }}
        >
          {t('provider.delete.hint')}
        </Confirm>
      )}
    </section>
  );
}

function Health({ provider }: { provider: ProviderView }) {
  if (provider.ok == null) return null;
  return (
    <span className="state" data-tone={provider.ok ? 'good' : 'failed'}>
      {provider.ok ? <IconCircleCheck size={16} aria-hidden /> : <IconAlertTriangle size={16} aria-hidden />}
      {provider.ok ? t('provider.ok') : t('provider.notOk')}
    </span>
  );
}

function Editor({ provider, onClose }: { provider: ProviderView | undefined; onClose: () => void }) {
  const me = useMe();
  const form = useForm(
    provider
      ? {
          type: provider.type,
          name: provider.name as string,
          base_url: provider.base_url ?? '',
          api_key: '',
          models: provider.models,
          shared: provider.shared,
          allow_private_network: provider.allow_private_network,
        }
      : emptyProvider,
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const ok = await form.submit(async () => {
      const body = providerBody(form.values);
      if (provider) {
        const { type: _, shared: __, ...change } = body;
        // An address that did not change is not sent: a new one clears the stored key.
        if (change.base_url === provider.base_url) delete change.base_url;
        await api.patch(`/api/v1/providers/${provider.id}`, change);
      } else {
        const made = await api.post<ProviderView>('/api/v1/providers', body);
        await api.post(`/api/v1/providers/${made.id}/test`).catch(() => {});
      }
      await refresh();
    });
    if (ok) onClose();
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="lg"
      title={provider ? t('provider.edit', { name: provider.name }) : t('provider.add')}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {!provider && (
            <KindPicker
              value={form.values.type}
              onChange={(kind) => {
                form.set('type', kind);
                form.setError(null);
              }}
            />
          )}
          <TextInput
            label={t('common.name')}
            placeholder={providerKind(form.values.type)}
            maxLength={64}
            {...form.text('name')}
          />
          <ProviderFields form={form} admin={isAdmin(me)} keyHint={provider?.key_hint} />
          {provider && form.values.base_url !== (provider.base_url ?? '') && provider.key_hint && (
            <Text size="sm" c="var(--attention)">
              {t('provider.baseUrl.clears')}
            </Text>
          )}
          {!provider && isAdmin(me) && (
            <Switch
              label={t('provider.share')}
              description={t('provider.share.hint')}
              checked={form.values.shared}
              onChange={(event) => form.set('shared', event.currentTarget.checked)}
            />
          )}
          <ProblemAlert error={form.error} shown={form.shown} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={form.busy}>
              {t('common.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
