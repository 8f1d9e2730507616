// The secret key of the installation: which one is in force, whether what is stored has come to it, and another one in its place.
import { Anchor, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconLoader2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api } from '../api/client';
import { keysQuery, operationQuery, queryClient, stuckQuery, underWayQuery } from '../api/queries';
import type { KeyStatus, OperationView } from '../api/types';
import { t, tn } from '../strings';
import { Copy, Loaded, Section } from '../ui/bits';
import { Confirm } from '../ui/dialogs';

/** On the machine itself, because a passphrase is asked for that no browser should carry. */
const EXPORT = 'fractal keys export';

export function SecretKey() {
  const status = useQuery(keysQuery);
  const [asking, setAsking] = useState(false);
  const [begun, setBegun] = useState<OperationView | undefined>();
  return (
    <Section title={t('installation.key')} intro={t('installation.key.hint')}>
      <Loaded query={status} rows={1}>
        {(keys) => (
          <div className="card">
            <Group justify="space-between" align="flex-start" gap="md">
              <Facts keys={keys} begun={begun?.id} />
              <Button variant="default" onClick={() => setAsking(true)}>
                {t('installation.key.replace')}
              </Button>
            </Group>
            {/* There before it has something to say, so that it is read out when it has. */}
            <div role="status">{begun && <Replaced operation={begun} />}</div>
          </div>
        )}
      </Loaded>
      {asking && <Replace onReplaced={setBegun} onClose={() => setAsking(false)} />}
    </Section>
  );
}

function Facts({ keys, begun }: { keys: KeyStatus; begun: string | undefined }) {
  const isMoving = keys.waiting > 0;
  // It may have been begun elsewhere, or before the page was read anew; one that is stuck says why something is left.
  const stuck = useQuery({ ...stuckQuery(false), enabled: isMoving }).data ?? [];
  const underWay = useQuery({ ...underWayQuery(false), enabled: isMoving }).data ?? [];
  const follows = isMoving ? [...stuck, ...underWay].find((one) => one.kind === 'key.rotate') : undefined;
  return (
    <dl className="facts" style={{ flex: 1, minWidth: 240 }}>
      <dt>{t('installation.key.inForce')}</dt>
      <dd>{t('installation.key.generation', { n: keys.generation })}</dd>
      <dt>{t('installation.key.stored')}</dt>
      <dd>
        <Standing of={!isMoving ? 'moved' : follows?.state === 'stuck' ? 'stuck' : 'moving'} />
        {isMoving && (
          <Text size="sm" c="dimmed">
            {tn('installation.key.older', keys.waiting)}
          </Text>
        )}
        {follows && follows.id !== begun && <Follow id={follows.id} />}
      </dd>
    </dl>
  );
}

const LOOKS = {
  moved: { tone: 'good', Icon: IconCircleCheck },
  moving: { tone: 'working', Icon: IconLoader2 },
  stuck: { tone: 'failed', Icon: IconAlertTriangle },
} as const;

function Standing({ of }: { of: keyof typeof LOOKS }) {
  const { tone, Icon } = LOOKS[of];
  return (
    <span className="state" data-tone={tone}>
      <Icon size={16} aria-hidden className={of === 'moving' ? 'spin' : undefined} />
      {t(`installation.key.${of}`)}
    </span>
  );
}

function Follow({ id }: { id: string }) {
  return (
    <Anchor component={Link} to={`/operations/${id}`} size="sm">
      {t('installation.key.follow')}
    </Anchor>
  );
}

function Replaced({ operation }: { operation: OperationView }) {
  return (
    <Stack gap={4} mt="md" pt="md" align="flex-start" style={{ borderTop: '1px solid var(--line)' }}>
      <Text size="sm" fw={600}>
        {t('installation.key.replaced')}
      </Text>
      <Text size="sm" className="prose">
        {t('installation.key.export')}
      </Text>
      <Group gap={4} wrap="nowrap">
        <Code>{EXPORT}</Code>
        <Copy text={EXPORT} size={16} />
      </Group>
      <Follow id={operation.id} />
    </Stack>
  );
}

function Replace(props: { onReplaced: (operation: OperationView) => void; onClose: () => void }) {
  return (
    <Confirm
      title={t('installation.key.replace.title')}
      action={t('installation.key.replace')}
      onClose={props.onClose}
      onConfirm={async () => {
        const operation = await api.post<OperationView>('/api/v1/keys/rotate');
        queryClient.setQueryData(operationQuery(operation.id).queryKey, operation);
        void queryClient.invalidateQueries({ queryKey: ['operations'] });
        void queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
        props.onReplaced(operation);
      }}
    >
      <Stack gap="xs">
        <div>{t('installation.key.replace.now')}</div>
        <div>{t('installation.key.replace.moves')}</div>
        <div>
          {t('installation.key.replace.exports')} <Code>{EXPORT}</Code>
        </div>
      </Stack>
    </Confirm>
  );
}
