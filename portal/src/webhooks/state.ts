// How a webhook and its messages stand, as people say it: the worst comes first.
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDot,
  IconCircleX,
  IconClock,
  IconPlayerPause,
  IconSend,
} from '@tabler/icons-react';
import type { DeliveryView, WebhookView } from '../api/types';
import type { Key } from '../strings';

export interface Standing {
  tone: 'good' | 'working' | 'attention' | 'failed' | 'quiet';
  word: Key;
  Icon: typeof IconClock;
}

type Hook = Pick<WebhookView, 'enabled' | 'last_error' | 'dead' | 'waiting' | 'last_delivered_at'>;

export function standing(hook: Hook): Standing {
  if (!hook.enabled) return { tone: 'quiet', word: 'webhook.state.paused', Icon: IconPlayerPause };
  if (hook.last_error) return { tone: 'failed', word: 'webhook.state.failing', Icon: IconCircleX };
  if (hook.dead > 0) return { tone: 'attention', word: 'webhook.state.dead', Icon: IconAlertTriangle };
  if (hook.waiting > 0) return { tone: 'working', word: 'webhook.state.sending', Icon: IconSend };
  if (hook.last_delivered_at) return { tone: 'good', word: 'webhook.state.works', Icon: IconCircleCheck };
  return { tone: 'quiet', word: 'webhook.state.new', Icon: IconCircleDot };
}

export function standingOf(delivery: Pick<DeliveryView, 'state' | 'last_error'>): Standing {
  if (delivery.state === 'delivered')
    return { tone: 'good', word: 'webhook.delivery.delivered', Icon: IconCircleCheck };
  if (delivery.state === 'dead') return { tone: 'failed', word: 'webhook.delivery.dead', Icon: IconCircleX };
  if (delivery.last_error)
    return { tone: 'attention', word: 'webhook.delivery.failing', Icon: IconAlertTriangle };
  return { tone: 'working', word: 'webhook.delivery.pending', Icon: IconClock };
}
