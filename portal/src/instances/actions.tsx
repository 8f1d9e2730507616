// What can be done to an instance, each with what will happen.
import { Button, Checkbox, Menu } from '@mantine/core';
import { IconDots, IconPlayerPlay, IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { queryClient } from '../api/queries';
import type { InstanceView } from '../api/types';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { isAsleep } from '../ui/StateBadge';

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
        <Button leftSection={<IconPlayerPlay size={16} />} loading={busy} onClick={() => void start()}>
          {isAsleep(instance) ? t('instance.wake') : t('instance.start')}
        </Button>
      )}
      {main === 'stop' && (
        <Button
          variant="default"
          leftSection={<IconPlayerStop size={16} />}
          onClick={() => setAsking('stop')}
        >
          {t('instance.stop')}
        </Button>
      )}
      {instance.wanted !== 'deleted' && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" px="sm" aria-label={t('instance.more')}>
              <IconDots size={18} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconRefresh size={16} />} onClick={() => setAsking('restart')}>
              {t('instance.restart')}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item
              leftSection={<IconTrash size={16} />}
              color="var(--failed)"
              onClick={() => setAsking('delete')}
            >
              {t('instance.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {error !== null && <ProblemAlert error={error} />}
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
