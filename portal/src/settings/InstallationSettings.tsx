// The installation: addresses, isolation, engines, where instances run, and its secret key.
import { Badge, Button, Group, NumberInput, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { assetsQuery, enginesQuery, queryClient, settingsQuery } from '../api/queries';
import type { EngineView, RuntimeAssetView, SettingsView, UpdateSettings } from '../api/types';
import { can, useMe } from '../app/session';
import { t, tn, tWord } from '../strings';
import { Empty, Id, Loaded, PageBody, ProblemAlert, Section } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { InstallProgress } from '../ui/InstallProgress';
import { SaveBar } from '../ui/SaveBar';
import { lines, useForm } from '../ui/useForm';
import { SecretKey } from './SecretKey';

export function InstallationSettings() {
  const me = useMe();
  const settings = useQuery(settingsQuery);
  const engines = useQuery(enginesQuery);
  const assets = useQuery(assetsQuery);
  return (
    <PageBody title={t('settings.installation')} intro={t('installation.intro')}>
      <Loaded query={settings}>
        {(view) => (
          <>
            <Form settings={view} />
            <Isolation settings={view} assets={assets.data ?? []} />
          </>
        )}
      </Loaded>
      <Section title={t('installation.engines')} intro={t('installation.engines.hint')}>
        <Loaded query={engines} rows={1}>
          {(list) =>
            list.length === 0 ? (
              <Empty title={t('installation.noEngine')} />
            ) : (
              <ul className="rows">
                {list.map((engine) => (
                  <li className="row" key={engine.id}>
                    <Engine engine={engine} />
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
      <Section title={t('installation.assets')} intro={t('installation.assets.hint')}>
        <Loaded query={assets} rows={1}>
          {(list) => (
            <Stack gap="sm">
              {list.map((asset) => (
                <Asset key={asset.id} asset={asset} />
              ))}
            </Stack>
          )}
        </Loaded>
      </Section>
      {can(me, 'key.rotate') && <SecretKey />}
    </PageBody>
  );
}

const NUMBERS = ['idle_timeout_minutes', 'witness_interval_seconds', 'value_retention_days'] as const;

function Form({ settings }: { settings: SettingsView }) {
  const form = useForm({
    public_url: settings.public_url ?? '',
    allowed_hosts: settings.allowed_hosts.join('\n'),
    trusted_proxies: settings.trusted_proxies.join('\n'),
    idle_timeout_minutes: settings.idle_timeout_minutes,
    witness_interval_seconds: settings.witness_interval_seconds,
    value_retention_days: settings.value_retention_days,
  });
  const [saved, setSaved] = useState(false);
  const [asking, setAsking] = useState(false);
  /** What the form began with: only what is another thing now is sent, because somebody else may have changed the rest meanwhile. */
  const [began, setBegan] = useState(form.values);
  const save = async () => {
    const { values } = form;
    const body: UpdateSettings = {};
    if (values.public_url !== began.public_url) body.public_url = values.public_url.trim();
    if (values.allowed_hosts !== began.allowed_hosts) body.allowed_hosts = lines(values.allowed_hosts);
    if (values.trusted_proxies !== began.trusted_proxies)
      body.trusted_proxies = lines(values.trusted_proxies);
    for (const name of NUMBERS) if (values[name] !== began[name]) body[name] = values[name];
    const outcome = await form.submit(async () => {
      if (Object.keys(body).length === 0) return;
      const view = await api.patch<SettingsView>('/api/v1/settings', body);
      queryClient.setQueryData(settingsQuery.queryKey, view);
      setBegan(values);
    });
    setSaved(outcome === 'done');
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const [days, before] = [form.values.value_retention_days, began.value_retention_days];
    // What is erased does not come back.
    if (days > 0 && (before === 0 || days < before)) setAsking(true);
    else await save();
  };
  return (
    <>
      <form onSubmit={(event) => void submit(event)} onChange={() => setSaved(false)}>
        <Stack maw={560}>
          <ProblemAlert error={form.error} shown={form.shown} />
          <TextInput
            label={t('installation.publicUrl')}
            description={t('installation.publicUrl.hint')}
            type="url"
            placeholder="https://agents.example.org"
            {...form.text('public_url')}
          />
          <Textarea
            label={t('installation.hosts')}
            description={t('installation.hosts.hint')}
            minRows={2}
            {...form.text('allowed_hosts')}
          />
          <Textarea
            label={t('installation.proxies')}
            description={t('installation.proxies.hint')}
            minRows={2}
            placeholder="10.0.0.0/8"
            {...form.text('trusted_proxies')}
          />
          <NumberInput
            label={t('agent.idle')}
            description={t('installation.idle.hint')}
            min={1}
            max={10080}
            allowDecimal={false}
            value={form.values.idle_timeout_minutes}
            onChange={(value) => form.set('idle_timeout_minutes', Number(value))}
            error={form.fields.idle_timeout_minutes}
          />
          <NumberInput
            label={t('installation.witness')}
            description={t('installation.witness.hint')}
            min={10}
            max={86400}
            allowDecimal={false}
            value={form.values.witness_interval_seconds}
            onChange={(value) => form.set('witness_interval_seconds', Number(value))}
            error={form.fields.witness_interval_seconds}
          />
          <NumberInput
            label={t('installation.retention')}
            description={t('installation.retention.hint')}
            min={0}
            max={36500}
            allowDecimal={false}
            value={form.values.value_retention_days}
            onChange={(value) => form.set('value_retention_days', Number(value))}
            error={form.fields.value_retention_days}
          />
          <SaveBar busy={form.busy} saved={saved} />
        </Stack>
      </form>
      {asking && (
        <Confirm
          title={t('installation.retention.title', { n: form.values.value_retention_days })}
          action={t('installation.retention.erase')}
          danger
          onClose={() => setAsking(false)}
          onConfirm={save}
        >
          {t('installation.retention.warning')}
        </Confirm>
      )}
    </>
  );
}

/** Only shown where the runtime cannot keep people apart, or where that was accepted. */
function Isolation({ settings, assets }: { settings: SettingsView; assets: RuntimeAssetView[] }) {
  const [asking, setAsking] = useState(false);
  const accepted = settings.reduced_isolation_accepted;
  if (!accepted && !assets.some((one) => one.capabilities.isolation === 'reduced')) return null;
  return (
    <Section title={t('installation.danger')}>
      <div className="card danger">
        <Group justify="space-between" gap="md">
          <div style={{ flex: 1, minWidth: 240 }}>
            <Text fw={600}>{t('installation.reduced')}</Text>
            <Text size="sm" c="dimmed">
              {accepted ? t('installation.reduced.accepted') : t('installation.reduced.hint')}
            </Text>
          </div>
          <Button color="red.8" variant={accepted ? 'default' : 'filled'} onClick={() => setAsking(true)}>
            {accepted ? t('installation.reduced.withdraw') : t('installation.reduced.accept')}
          </Button>
        </Group>
      </div>
      {asking && (
        <Confirm
          title={t('installation.reduced')}
          action={accepted ? t('installation.reduced.withdraw') : t('installation.reduced.accept')}
          danger={!accepted}
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            const view = await api.patch<SettingsView>('/api/v1/settings', {
              reduced_isolation_accepted: !accepted,
            });
            queryClient.setQueryData(settingsQuery.queryKey, view);
          }}
        >
          {accepted ? t('installation.reduced.withdraw.hint') : t('installation.reduced.accept.hint')}
        </Confirm>
      )}
    </Section>
  );
}

function Engine({ engine }: { engine: EngineView }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const install = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.post(`/api/v1/engines/${encodeURIComponent(engine.id)}/install`);
      await queryClient.invalidateQueries({ queryKey: enginesQuery.queryKey });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const { progress } = engine;
  return (
    <>
      <div className="row-main">
        <Text fw={600}>OpenClaw {engine.version}</Text>
        <Text size="sm" c="dimmed">
          {engine.node_version && `Node ${engine.node_version} · `}
          {tWord('engine', engine.state)}
          {engine.error && ` · ${engine.error}`}
        </Text>
        {progress && engine.state === 'installing' && (
          <div style={{ marginTop: 8 }}>
            <InstallProgress progress={progress} />
          </div>
        )}
        <ProblemAlert error={error} />
      </div>
      {engine.state === 'failed' && (
        <Button size="xs" loading={busy} onClick={() => void install()}>
          {t('engine.install')}
        </Button>
      )}
    </>
  );
}

function Asset({ asset }: { asset: RuntimeAssetView }) {
  const { capabilities } = asset;
  return (
    <section className="card" aria-label={asset.name}>
      <Group justify="space-between" gap="sm" mb="sm">
        <Group gap="xs">
          <Text fw={600}>{asset.name}</Text>
          <Badge variant="default" size="sm" tt="none">
            {asset.kind}
          </Badge>
          <span className="state" data-tone={asset.healthy ? 'good' : 'failed'}>
            {asset.healthy ? t('asset.healthy') : t('asset.unhealthy')}
          </span>
        </Group>
        <Text size="sm" c="dimmed">
          {tn('people.agents', asset.instances)} · {t('asset.slots', { n: asset.start_slots })}
        </Text>
      </Group>
      <dl className="facts">
        <dt>{t('common.id')}</dt>
        <dd>
          <Id id={asset.id} />
        </dd>
        <dt>{t('asset.isolation')}</dt>
        <dd>
          {tWord('isolation', capabilities.isolation)}
          {capabilities.own_uid && ` · ${t('asset.ownUid')}`}
        </dd>
        <dt>{t('asset.limits')}</dt>
        <dd>
          {(['memory', 'cpu', 'processes', 'disk', 'open_files'] as const)
            .map((name) => `${t(`limit.${name}`)}: ${tWord('enforcement', capabilities[name])}`)
            .join(' · ')}
        </dd>
        {capabilities.remarks.length > 0 && (
          <>
            <dt>{t('asset.remarks')}</dt>
            <dd>
              {capabilities.remarks.map((remark) => (
                <div key={remark}>{remark}</div>
              ))}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
