// Starts an agent that somebody stopped: messages do not wake it, so the way out stands beside what it hinders.
import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../api/client';
import { queryClient } from '../api/queries';
import type { InstanceView } from '../api/types';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';

/** Stopped by a person or for its disk use, and so until a person starts it. */
export function isStopped(agent: InstanceView | undefined): boolean {
  return (
    agent?.seen === 'stopped' &&
    agent.wanted === 'stopped' &&
    (agent.stop_reason === 'person' || agent.stop_reason === 'disk')
  );
}

/** Stopped by an operation that works on it, and started by it again. */
export function isOperated(agent: InstanceView | undefined): boolean {
  return agent?.operation_id != null && agent.seen !== 'ready' && agent.seen !== 'busy';
}

export function StartAgent({ id }: { id: string }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      const view = await api.post<InstanceView>(`/api/v1/instances/${id}/start`);
      queryClient.setQueryData(['instance', id], view);
      void queryClient.invalidateQueries({ queryKey: ['instances'] });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerPlay size={14} />}
        loading={busy}
        onClick={() => void start()}
      >
        {t('chat.stopped.action')}
      </Button>
      <ProblemAlert error={error} />
    </>
  );
}
