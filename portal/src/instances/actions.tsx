// What can be done to an instance, each with what will happen.
import { Button, Checkbox, Menu, Tooltip } from '@mantine/core';
import {
  IconDots,
  IconEngine,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { enginesQuery, queryClient } from '../api/queries';
import type { InstanceView } from '../api/types';
import { can, useMe } from '../app/session';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { isAsleep } from '../ui/StateBadge';
import { ChangeEngine, otherEngines } from './ChangeEngine';

type Action = 'start' | 'stop' | 'restart' | 'delete';

export function mainAction(instance: InstanceView): Action | undefined {
  if (instance.wanted === 'deleted') return undefined;
  if (isAsleep(instance)) return 'start';
  switch (instance.seen) {
    case 'stopped':
    case 'failed':
    case 'crash_looping':
      return 'start';
    case 'stopping':
      return undefined;
    default:
      return 'stop';
  }
}

export function InstanceActions({ instance }: { instance: InstanceView }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState<Action | undefined>();
  const [keep, setKeep] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const path = `/api/v1/instances/${instance.id}`;
  const main = mainAction(instance);
  const held = instance.operation_id != null;
  const me = useMe();
  const [changing, setChanging] = useState(false);
  // Whoever may not know the engines is not offered one.
  const known = useQuery({
    ...enginesQuery,
    enabled: can(me, 'instance.change_engine') && can(me, 'engine.list'),
  });
  const engines = otherEngines(known.data ?? [], instance);

  const apply = (view: InstanceView) => {
    queryClient.setQueryData(['instance', instance.id], view);
    void queryClient.invalidateQueries({ queryKey: ['instances'] });
    void queryClient.invalidateQueries({ queryKey: ['timeline', instance.id] });
  };
  const run = async (action: Action) => {
    if (action === 'delete') {
      const view = await api.delete<InstanceView>(path, { query: { keep_volumes: keep } });
      apply(view);
      navigate('/instances', { replace: true });
    } else {
      apply(await api.post<InstanceView>(`${path}/${action}`));
    }
  };
  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      await run('start');
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      {main === 'start' && (
        <Held when={held}>
          <Button
            leftSection={<IconPlayerPlay size={16} />}
            loading={busy}
            {...heldProps(held, () => void start())}
          >
            {isAsleep(instance) ? t('instance.wake') : t('instance.start')}
          </Button>
        </Held>
      )}
      {main === 'stop' && (
        <Held when={held}>
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} />}
            {...heldProps(held, () => setAsking('stop'))}
          >
            {t('instance.stop')}
          </Button>
        </Held>
      )}
      {instance.wanted !== 'deleted' && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" px="sm" aria-label={t('instance.more')}>
              <IconDots size={18} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {held && <Menu.Label>{t('instance.held')}</Menu.Label>}
            <Menu.Item
              leftSection={<IconRefresh size={16} />}
              disabled={held}
              onClick={() => setAsking('restart')}
            >
              {t('instance.restart')}
            </Menu.Item>
            {engines.length > 0 && (
              <Menu.Item
                leftSection={<IconEngine size={16} />}
                disabled={held}
                onClick={() => setChanging(true)}
              >
                {t('instance.engine.change')}
              </Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item
              leftSection={<IconTrash size={16} />}
              color="var(--failed)"
              disabled={held}
              onClick={() => setAsking('delete')}
            >
              {t('instance.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {error !== null && <ProblemAlert error={error} />}
      {changing && <ChangeEngine instance={instance} engines={engines} onClose={() => setChanging(false)} />}
      {asking && (
        <Confirm
          title={t(`instance.${asking}.title`, { name: instance.name })}
          action={t(`instance.${asking}`)}
          danger={asking === 'delete'}
          onClose={() => setAsking(undefined)}
          onConfirm={() => run(asking)}
        >
          {t(`instance.${asking}.hint`)}
          {asking === 'delete' && (
            <Checkbox
              mt="md"
              label={t('instance.keepFiles')}
              description={t('instance.keepFiles.hint')}
              checked={keep}
              onChange={(event) => setKeep(event.currentTarget.checked)}
            />
          )}
        </Confirm>
      )}
    </>
  );
}

/** Says why a button does nothing, where the eye and the keyboard come to it. */
function Held({ when, children }: { when: boolean; children: ReactElement }) {
  return (
    <Tooltip label={t('instance.held')} disabled={!when} events={{ hover: true, focus: true, touch: true }}>
      {children}
    </Tooltip>
  );
}

/** A button that is disabled outright is not come to by keyboard, and its reason is heard by nobody. */
function heldProps(held: boolean, act: () => void) {
  return held ? { 'aria-disabled': true, 'data-disabled': true } : { onClick: act };
}
