// Identity providers: signing in with the organization's own accounts.
import { Badge, Button, Drawer, Group, Stack, Switch, Text } from '@mantine/core';
import { IconLogin2, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { identityProvidersQuery, queryClient } from '../api/queries';
import type { IdentityProviderView, ProviderTest } from '../api/types';
import { t } from '../strings';
import { Empty, Loaded, PageBody, ProblemAlert } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { emptyOidc, OidcFields, oidcBody, Redirect } from '../ui/oidc';
import { TestResult } from '../ui/providers';
import { useForm } from '../ui/useForm';

const refresh = () => queryClient.invalidateQueries({ queryKey: identityProvidersQuery.queryKey });

export function SignInSettings() {
  const query = useQuery(identityProvidersQuery);
  const [editing, setEditing] = useState<IdentityProviderView | 'new' | undefined>();
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setEditing('new')}>
      {t('oidc.add')}
    </Button>
  );
  return (
    <PageBody title={t('settings.sign-in')} intro={t('oidc.intro')} action={add}>
      <Loaded query={query}>
        {(list) =>
          list.length === 0 ? (
            <Empty
              icon={<IconLogin2 size={36} stroke={1.4} aria-hidden />}
              title={t('oidc.none')}
              hint={t('oidc.none.hint')}
              action={add}
            />
          ) : (
            <Stack gap="sm">
              {list.map((one) => (
                <Card key={one.id} provider={one} onEdit={() => setEditing(one)} />
              ))}
            </Stack>
          )
        }
      </Loaded>
      {editing && (
        <Editor
          key={editing === 'new' ? 'new' : editing.id}
          provider={editing === 'new' ? undefined : editing}
          redirectUri={query.data?.[0]?.redirect_uri}
          onClose={() => setEditing(undefined)}
        />
      )}
    </PageBody>
  );
}

function Card({ provider, onEdit }: { provider: IdentityProviderView; onEdit: () => void }) {
  const [test, setTest] = useState<ProviderTest | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [deleting, setDeleting] = useState(false);
  const path = `/api/v1/identity-providers/${provider.id}`;
  const attempt = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
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
            {!provider.enabled && (
              <Badge variant="default" size="sm" tt="none">
                {t('oidc.disabled')}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {provider.issuer}
          </Text>
          <Redirect uri={provider.redirect_uri} />
        </div>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            loading={busy}
            onClick={() => void attempt(async () => setTest(await api.post<ProviderTest>(`${path}/test`)))}
          >
            {t('provider.testNow')}
          </Button>
          <Button size="xs" variant="default" onClick={onEdit}>
            {t('common.edit')}
          </Button>
          <Button size="xs" variant="subtle" color="red" onClick={() => setDeleting(true)}>
            {t('common.delete')}
          </Button>
        </Group>
      </Group>
      <Switch
        mt="sm"
        label={t('oidc.enabled')}
        checked={provider.enabled}
        disabled={busy}
        onChange={(event) => {
          const enabled = event.currentTarget.checked;
          void attempt(async () => {
            await api.patch(path, { enabled });
            await refresh();
          });
        }}
      />
      {(error !== null || test) && (
        <div style={{ marginTop: 12 }}>
          <ProblemAlert error={error} />
          {test && <TestResult test={test} oidc />}
        </div>
      )}
      {deleting && (
        <Confirm
          title={t('oidc.delete.title', { name: provider.name })}
          action={t('common.delete')}
          danger
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await api.delete(path);
            await refresh();
          }}
        >
          {t('oidc.delete.hint')}
        </Confirm>
      )}
    </section>
  );
}

function Editor(props: {
  provider: IdentityProviderView | undefined;
  /** The same for all of them. */
  redirectUri: string | undefined;
  onClose: () => void;
}) {
  const { provider, onClose } = props;
  const form = useForm(
    provider
      ? {
          ...emptyOidc,
          name: provider.name,
          issuer: provider.issuer,
          client_id: provider.client_id,
          auto_provision: provider.auto_provision,
          allow_private_network: provider.allow_private_network,
        }
      : emptyOidc,
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const ok = await form.submit(async () => {
      const body = oidcBody(form.values);
      if (provider) {
        const { issuer, allow_private_network, ...change } = body;
        await api.patch(`/api/v1/identity-providers/${provider.id}`, {
          ...change,
          ...(issuer === provider.issuer ? {} : { issuer }),
          ...(allow_private_network === provider.allow_private_network ? {} : { allow_private_network }),
        });
      } else {
        await api.post('/api/v1/identity-providers', body);
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
      title={provider ? t('provider.edit', { name: provider.name }) : t('oidc.add')}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <OidcFields
            form={form}
            hasSecret={provider?.has_client_secret ?? false}
            redirectUri={props.redirectUri}
          />
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
