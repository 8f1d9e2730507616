// On the page of what an operation works on: that it does, how far it is, and what cannot be done meanwhile.
import './operations.css';
import { Alert, Anchor, Text } from '@mantine/core';
import { IconAlertTriangle, IconLoader2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { operationQuery } from '../api/queries';
import { t, tWord } from '../strings';
import { where } from './words';

export function Banner({ id, name }: { id: string; name: string }) {
  // Whoever may not see it is told only that there is one.
  const operation = useQuery(operationQuery(id)).data;
  const stuck = operation?.state === 'stuck';
  return (
    <Alert
      mt="md"
      variant="light"
      color={stuck ? 'red' : 'indigo'}
      className={stuck ? undefined : 'operation-working'}
      icon={stuck ? <IconAlertTriangle size={18} /> : <IconLoader2 size={18} className="spin" />}
      title={t(stuck ? 'operation.banner.stuck' : 'operation.banner', { name })}
      role="status"
    >
      {operation && (
        <Text size="sm">
          {tWord('action', operation.kind)} · {where(operation)}
        </Text>
      )}
      <Text size="sm">{t('operation.banner.hint')}</Text>
      <Anchor component={Link} to={`/operations/${id}`} size="sm">
        {t('operation.follow')}
      </Anchor>
    </Alert>
  );
}
