// The webhooks of the installation: which work, which do not and why. A new one's secret is shown once.
import './webhooks.css';
import { Button, Text } from '@mantine/core';
import { IconChevronRight, IconPlus, IconWebhook } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { webhooksQuery } from '../api/queries';
import type { NewWebhook, WebhookView } from '../api/types';
import { can, useMe } from '../app/session';
import { t, tn } from '../strings';
import { Empty, Loaded, NotFound, PageBody, Time } from '../ui/bits';
import { NewSecret } from '../ui/dialogs';
import { sentence } from '../ui/format';
import { Editor } from './Editor';
import { Docs, Receive } from './Receive';
import { standing } from './state';
import { eventWords, State } from './words';

export default function WebhooksPage() {
  const me = useMe();
  const may = can(me, 'webhook.view');
  const query = useQuery({ ...webhooksQuery, enabled: may });
  const [params, setParams] = useSearchParams();
  const [made, setMade] = useState<NewWebhook | undefined>();
  const navigate = useNavigate();
  if (me && !may) return <NotFound />;
  const add = can(me, 'webhook.create') && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setParams({ new: '' })}>
      {t('webhook.add')}
    </Button>
  );
  const none = query.data?.length === 0;
  return (
    <PageBody title={t('settings.webhooks')} intro={t('webhook.intro')} action={!none && add}>
      <Loaded query={query}>
        {(list) =>
          list.length === 0 ? (
            <Empty
              icon={<IconWebhook size={36} stroke={1.4} aria-hidden />}
              title={t('webhook.none')}
              hint={
                <>
                  {t('webhook.none.hint')} <Docs />
                </>
              }
              action={add}
            />
          ) : (
            <ul className="rows">
              {list.map((hook) => (
                <li key={hook.id}>
                  <Row hook={hook} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <Receive />
      {params.has('new') && <Editor onClose={() => setParams({}, { replace: true })} onMade={setMade} />}
      {made && (
        <NewSecret
          title={t('webhook.made', { name: made.webhook.name })}
          secret={made.secret}
          hint={t('webhook.made.hint')}
          onClose={() => void navigate(`/settings/webhooks/${made.webhook.id}`)}
        />
      )}
    </PageBody>
  );
}

function Row({ hook }: { hook: WebhookView }) {
  const more = hook.events.length - 2;
  return (
    <Link className="row row-link" to={`/settings/webhooks/${hook.id}`}>
      <div className="row-main">
        <div className="hook-head">
          <Text fw={600} component="span">
            {hook.name}
          </Text>
          <State of={standing(hook)} />
        </div>
        <div className="hook-url" title={hook.url}>
          {hook.url}
        </div>
        {hook.enabled && hook.last_error && (
          <Text size="sm" c="var(--failed)">
            {sentence(hook.last_error)}
          </Text>
        )}
        <Text size="sm" c="dimmed">
          {hook.events.slice(0, 2).map(eventWords).join(', ')}
          {more > 0 && ` +${more}`}
          {hook.waiting > 0 && ` · ${tn('webhook.waiting', hook.waiting)}`}
          {hook.dead > 0 && ` · ${tn('webhook.givenUp', hook.dead)}`}
          {hook.last_delivered_at && (
            <>
              {' · '}
              {t('webhook.taken')} <Time at={hook.last_delivered_at} />
            </>
          )}
        </Text>
      </div>
      <IconChevronRight size={18} aria-hidden className="hook-go" />
    </Link>
  );
}
