// Who vouches for the log besides the one who keeps it: one line above the list, and a drawer in which witnesses are added and removed.
import { Alert, Button, Drawer, Group, Stack, Switch, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconEye, IconEyeOff, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { queryClient, witnessesQuery } from '../api/queries';
import type { AddWitness, WitnessView } from '../api/types';
import { can, useMe } from '../app/session';
import { t, tn } from '../strings';
import { Empty, Loaded, ProblemAlert, Time } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { number, sentence } from '../ui/format';
import { useForm } from '../ui/useForm';

const TONES: Record<WitnessView['state'], string> = {
  new: 'quiet',
  cosigned: 'good',
  unreachable: 'attention',
  refused: 'attention',
  conflict: 'failed',
  forged: 'failed',
};

/** One line: how far others vouch for the log, or that nobody does. */
export function WitnessCard({ onMore }: { onMore: () => void }) {
  const list = useQuery(witnessesQuery).data;
  if (!list) return null;
  const more = (
    <Button size="xs" variant="default" onClick={onMore}>
      {t('witness.manage')}
    </Button>
  );
  const conflict = list.find((one) => one.state === 'conflict');
  if (conflict)
    return (
      <Alert
        color="red"
        role="alert"
        mt="sm"
        className="alarm"
        icon={<IconAlertTriangle size={20} />}
        title={t('witness.conflict')}
      >
        <Text size="sm" mb="sm" className="prose">
          {conflict.name}: {sentence(conflict.last_error ?? '')}
        </Text>
        {more}
      </Alert>
    );
  const vouching = list.filter((one) => one.size > 0);
  const failing = list.find((one) => one.last_error);
  const size = Math.max(0, ...vouching.map((one) => one.size));
  const Icon = vouching.length > 0 ? IconEye : IconEyeOff;
  return (
    <section
      className="card head-card witness-card"
      data-tone={vouching.length > 0 && !failing ? 'good' : undefined}
      aria-label={t('witness.title')}
    >
      <Icon className="head-sign" size={20} aria-hidden />
      <div className="row-main">
        <Text fw={600} size="sm">
          {vouching.length > 0 ? tn('witness.vouch', vouching.length) : t('witness.none')}
        </Text>
        <Text size="sm" c="dimmed" component="div">
          {vouching.length > 0
            ? t('witness.vouch.size', { n: number(size) })
            : list.length === 0 && t('witness.none.hint')}
          {failing && vouching.length > 0 && ' · '}
          {failing && (
            <span className="state" data-tone={TONES[failing.state]}>
              {t('witness.trouble')}
            </span>
          )}
        </Text>
      </div>
      {more}
    </section>
  );
}

export function WitnessDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size={560} title={t('witness.title')}>
      {opened && <Witnesses />}
    </Drawer>
  );
}

function Witnesses() {
  const me = useMe();
  const query = useQuery(witnessesQuery);
  const [adding, setAdding] = useState(false);
  const add = can(me, 'witness.add') && !adding && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
      {t('witness.add')}
    </Button>
  );
  return (
    <Stack>
      <Text size="sm" c="dimmed" className="prose">
        {t('witness.intro')}
      </Text>
      {adding && <Add onClose={() => setAdding(false)} />}
      <Loaded query={query} rows={1}>
        {(list) =>
          list.length === 0 ? (
            adding ? null : (
              <Empty
                icon={<IconEyeOff size={36} stroke={1.4} aria-hidden />}
                title={t('witness.none')}
                hint={t('witness.none.hint')}
                action={add}
              />
            )
          ) : (
            <>
              <ul className="rows">
                {list.map((one) => (
                  <li className="row" key={one.id}>
                    <Row witness={one} removable={can(me, 'witness.remove')} />
                  </li>
                ))}
              </ul>
              <div>{add}</div>
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

function Row({ witness, removable }: { witness: WitnessView; removable: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <div className="row-main">
        <Group gap="xs">
          <Text fw={600} component="span" className="witness-name">
            {witness.name}
          </Text>
          <span className="state" data-tone={TONES[witness.state]}>
            {t(`witness.state.${witness.state}`)}
          </span>
        </Group>
        <Text size="sm" c="dimmed" className="witness-name">
          {witness.url}
        </Text>
        {witness.last_error && (
          <Text size="sm" c="var(--failed)">
            {sentence(witness.last_error)}
          </Text>
        )}
        <Text size="sm" c="dimmed">
          {witness.size > 0 ? tn('witness.behind', witness.size) : t('witness.nothing')}
          {witness.cosigned_at && (
            <>
              {' · '}
              {t('witness.last')} <Time at={witness.cosigned_at} />
            </>
          )}
        </Text>
      </div>
      {removable && (
        <Button size="xs" variant="default" onClick={() => setAsking(true)}>
          {t('witness.remove')}
        </Button>
      )}
      {asking && (
        <Confirm
          title={t('witness.remove.title', { name: witness.name })}
          action={t('witness.remove')}
          danger
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await api.delete(`/api/v1/evidence/witnesses/${encodeURIComponent(witness.id)}`);
            await queryClient.invalidateQueries({ queryKey: witnessesQuery.queryKey });
          }}
        >
          {t('witness.remove.hint')}
        </Confirm>
      )}
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const form = useForm({ url: '', key: '', allow_private_network: false });
  const problem = form.error ? asProblem(form.error) : undefined;
  const taken = problem?.code === 'already-exists' ? problem.detail : undefined;
  const key = form.text('key');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { values } = form;
    const body: AddWitness = {
      url: values.url.trim(),
      key: values.key.trim(),
      allow_private_network: values.allow_private_network,
    };
    const done = await form.submit(async () => {
      await api.post<WitnessView>('/api/v1/evidence/witnesses', body);
      await queryClient.invalidateQueries({ queryKey: witnessesQuery.queryKey });
    });
    if (done) onClose();
  };
  return (
    <form className="card" onSubmit={(event) => void submit(event)}>
      <Stack>
        <Text size="sm">
          {t('witness.add.hint')
            .split('`')
            .map((part, at) =>
              // What stands between the marks is to be typed.
              at % 2 === 1 ? <code key={part}>{part}</code> : part,
            )}
        </Text>
        <TextInput
          label={t('witness.url')}
          description={t('witness.url.hint')}
          type="url"
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={2048}
          required
          data-autofocus
          {...form.text('url')}
        />
        <TextInput
          label={t('witness.key')}
          description={t('witness.key.hint')}
          classNames={{ input: 'mono' }}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          maxLength={512}
          required
          {...key}
          error={key.error ?? (taken && sentence(taken))}
        />
        <Switch
          label={t('witness.private')}
          description={t('witness.private.hint')}
          checked={form.values.allow_private_network}
          onChange={(event) => form.set('allow_private_network', event.currentTarget.checked)}
        />
        {!taken && <ProblemAlert error={form.error} shown={form.shown} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={form.busy}>
            {t('witness.add')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
