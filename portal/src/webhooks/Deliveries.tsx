// What became of a webhook's messages. A row opens to what is known of it; what was given up, or lost by the receiver, is sent again.
import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconChevronRight, IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { api } from '../api/client';
import { deadDeliveries, deliveriesQuery, queryClient, webhooksQuery } from '../api/queries';
import type { DeliveryState, DeliveryView, WebhookView } from '../api/types';
import { can, useMe } from '../app/session';
import { type Names, useNames } from '../evidence/words';
import { t, tn, tWord } from '../strings';
import { Empty, Id, Loaded, ProblemAlert, Section, Time } from '../ui/bits';
import { number, sentence, short } from '../ui/format';
import { standingOf } from './state';
import { State } from './words';

const STATES = ['pending', 'dead', 'delivered'] as const satisfies readonly DeliveryState[];

const again = async (hook: string, delivery: string) =>
  api.post<DeliveryView>(`/api/v1/webhooks/${hook}/deliveries/${delivery}/replay`);
const refresh = () => queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });

export function Deliveries({ hook }: { hook: WebhookView }) {
  const me = useMe();
  const names = useNames();
  const [params, setParams] = useSearchParams();
  const state = STATES.find((one) => one === params.get('state'));
  const query = useInfiniteQuery(deliveriesQuery(hook.id, state, hook.waiting > 0));
  const [busy, setBusy] = useState<string | undefined>();
  const [error, setError] = useState<unknown>(null);
  const mayReplay = can(me, 'webhook.replay');

  const attempt = async (what: string, work: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(what);
    setError(null);
    try {
      await work();
    } catch (caught) {
      setError(caught);
    } finally {
      await refresh();
      setBusy(undefined);
    }
  };
  const sendAll = async () => {
    for (const one of await deadDeliveries(hook.id)) await again(hook.id, one.id);
  };
  return (
    <Section
      title={t('webhook.deliveries')}
      intro={t('webhook.deliveries.intro')}
      action={
        mayReplay &&
        hook.dead > 0 && (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconRefresh size={14} />}
            loading={busy === 'all'}
            onClick={() => void attempt('all', sendAll)}
          >
            {tn('webhook.deliveries.allAgain', hook.dead)}
          </Button>
        )
      }
    >
      <SegmentedControl
        mb="sm"
        className="deliveries-filter"
        aria-label={t('webhook.deliveries.which')}
        value={state ?? 'all'}
        onChange={(value) => setParams(value === 'all' ? {} : { state: value }, { replace: true })}
        data={[
          { value: 'all', label: t('webhook.deliveries.all') },
          ...STATES.map((value) => ({ value, label: t(`webhook.delivery.${value}`) })),
        ]}
      />
      <ProblemAlert error={error} />
      <Loaded query={{ ...query, data: query.data?.pages.flatMap((page) => page.items) }}>
        {(list) =>
          list.length === 0 ? (
            <div className="card">
              <Empty
                title={t(state ? 'webhook.deliveries.noneFound' : 'webhook.deliveries.none')}
                hint={!state && t('webhook.deliveries.none.hint')}
              />
            </div>
          ) : (
            <ul className="rows deliveries">
              {list.map((one) => (
                <li key={one.id}>
                  <Delivery
                    delivery={one}
                    names={names}
                    log={can(me, 'evidence.view')}
                    busy={busy === one.id}
                    onAgain={
                      mayReplay && one.state !== 'pending'
                        ? () => void attempt(one.id, () => again(hook.id, one.id))
                        : undefined
                    }
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {query.hasNextPage && (
        <Group justify="center" mt="md">
          <Button
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {t('webhook.deliveries.older')}
          </Button>
        </Group>
      )}
    </Section>
  );
}

function Delivery(props: {
  delivery: DeliveryView;
  names: Names;
  log: boolean;
  busy: boolean;
  onAgain: (() => void) | undefined;
}) {
  const { delivery } = props;
  const [kind = '', id = ''] = delivery.resource.split(/:(.*)/s);
  const about = props.names.get(id) ?? `${tWord('kind', kind)} ${short(id)}`;
  const failed = delivery.state !== 'delivered' && delivery.last_error;
  return (
    <details className="delivery">
      <summary>
        <IconChevronRight size={16} aria-hidden className="delivery-fold" />
        <span className="delivery-state">
          <State of={standingOf(delivery)} />
        </span>
        <span className="delivery-what">
          <strong>{tWord('action', delivery.event)}</strong> <span className="delivery-about">{about}</span>
          {failed && (
            <span className="delivery-why">
              {sentence(delivery.last_error ?? '')}{' '}
              {delivery.next_at && (
                <>
                  {t('webhook.delivery.next')} <Time at={delivery.next_at} />
                </>
              )}
            </span>
          )}
        </span>
        <span className="delivery-when">
          <Time at={delivery.created_at} />
        </span>
      </summary>
      <div className="delivery-body">
        <dl className="facts">
          <dt>{t('webhook.delivery.event')}</dt>
          <dd className="mono">{delivery.event}</dd>
          <dt>{t('webhook.delivery.resource')}</dt>
          <dd>
            {tWord('kind', kind)} {id && <Id id={id} />}
          </dd>
          <dt>{t('webhook.delivery.entry')}</dt>
          <dd>
            {props.log ? (
              <Link to={`/evidence?seq=${delivery.seq}`}>#{number(delivery.seq)}</Link>
            ) : (
              `#${number(delivery.seq)}`
            )}
          </dd>
          <dt>{t('webhook.delivery.attempts')}</dt>
          <dd>{number(delivery.attempts)}</dd>
          {delivery.last_status != null && (
            <>
              <dt>{t('webhook.delivery.answer')}</dt>
              <dd>{delivery.last_status}</dd>
            </>
          )}
          {delivery.last_error && (
            <>
              <dt>{t('webhook.delivery.error')}</dt>
              <dd>{sentence(delivery.last_error)}</dd>
            </>
          )}
          {delivery.next_at && (
            <>
              <dt>{t('webhook.delivery.next')}</dt>
              <dd>
                <Time at={delivery.next_at} />
              </dd>
            </>
          )}
          {delivery.done_at && (
            <>
              <dt>{t(delivery.state === 'dead' ? 'webhook.delivery.dead' : 'webhook.delivery.delivered')}</dt>
              <dd>
                <Time at={delivery.done_at} />
              </dd>
            </>
          )}
        </dl>
        {props.onAgain && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={props.busy}
            onClick={props.onAgain}
          >
            {t('webhook.delivery.again')}
          </Button>
        )}
        {delivery.state === 'dead' && (
          <Text size="sm" c="dimmed">
            {t('webhook.delivery.again.hint')}
          </Text>
        )}
      </div>
    </details>
  );
}
