// The calm word after a change that was not made at once: it waits, for whom, and where it can be followed.
import './proposals.css';
import { Anchor, CloseButton, Text } from '@mantine/core';
import { IconHourglass } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'react-router';
import type { ProposalView } from '../api/types';
import { t } from '../strings';
import { needs, what } from './words';

export default function Waiting({ proposal, onClose }: { proposal: ProposalView; onClose: () => void }) {
  // It stays as long as the page it belongs to: whoever reads slowly, or follows the link by keyboard, is not hurried.
  const { pathname } = useLocation();
  const asked = useRef(pathname);
  useEffect(() => {
    if (pathname !== asked.current) onClose();
  }, [pathname, onClose]);
  return (
    <aside className="waits" aria-label={t('proposal.waits')}>
      <IconHourglass size={20} aria-hidden className="waits-icon" />
      <div className="row-main" role="status">
        <Text fw={600} size="sm">
          {t('proposal.waits')}
        </Text>
        <Text size="sm">{what(proposal)}</Text>
        <Text size="sm" c="dimmed">
          {t('proposal.needs', { needs: needs(proposal.demands) })}
        </Text>
        <Anchor component={Link} to={`/proposals/${proposal.id}`} size="sm">
          {t('proposal.follow')}
        </Anchor>
      </div>
      <CloseButton iconSize={18} aria-label={t('common.dismiss')} onClick={onClose} />
    </aside>
  );
}
