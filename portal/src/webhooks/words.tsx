// What the pages of webhooks say in the same way: states, actions, and how a test went.
import { Alert, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { WebhookTest } from '../api/types';
import { t, tWord } from '../strings';
import { seconds, sentence } from '../ui/format';
import type { Standing } from './state';

export function State({ of }: { of: Standing }) {
  return (
    <span className="state" data-tone={of.tone}>
      <of.Icon size={16} aria-hidden />
      {t(of.word)}
    </span>
  );
}

/** `*` is everything, `instance.` all of a kind, `user.create` one action. */
export function eventWords(event: string): string {
  if (event === '*') return t('webhook.events.everything');
  if (event.endsWith('.')) return t('webhook.events.kind', { kind: tWord('kind', event.slice(0, -1)) });
  return tWord('action', event);
}

export function Tested({ test }: { test: WebhookTest }) {
  if (test.ok) {
    return (
      <Alert color="green" variant="light" icon={<IconCircleCheck size={18} />} role="status">
        {t('webhook.test.ok', { status: String(test.status ?? ''), time: seconds(test.latency_ms) })}
      </Alert>
    );
  }
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} />}
      title={t('webhook.test.failed')}
      role="alert"
    >
      <Text size="sm">{sentence(test.error ?? '')}</Text>
    </Alert>
  );
}
