// On the page of a thing, quietly: that a check found something wrong with it, and the way to what and what to do.
import './incidents.css';
import { Anchor, Text } from '@mantine/core';
import { IconActivityHeartbeat } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { brokenOfQuery } from '../api/queries';
import { can, useMe } from '../app/session';
import { t, tn } from '../strings';
import { worstFirst } from './standing';
import { title } from './words';

export function Banner({ id, name }: { id: string; name: string }) {
  const me = useMe();
  const incidents = useQuery({ ...brokenOfQuery(id), enabled: can(me, 'incident.view') }).data ?? [];
  const [worst] = worstFirst(incidents);
  if (!worst) return null;
  const [n, only] = [incidents.length, incidents.length === 1];
  return (
    <div className="incident-banner" role="status">
      <span className="state" data-tone={worst.severity}>
        <IconActivityHeartbeat size={18} aria-hidden />
      </span>
      <div>
        <Text size="sm" fw={600}>
          {t('incident.banner', { name })}
        </Text>
        <Text size="sm">{[...new Set(incidents.map(title))].join(' · ')}</Text>
        <Anchor component={Link} to={only ? `/incidents/${worst.id}` : '/incidents'} size="sm">
          {tn('incident.banner.show', n)}
        </Anchor>
      </div>
    </div>
  );
}
