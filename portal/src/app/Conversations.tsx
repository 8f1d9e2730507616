// The conversations on a phone: a drawer within reach of the thumb.
import { Drawer } from '@mantine/core';
import { SessionList } from '../chat/SessionList';
import { t } from '../strings';

export default function Conversations({ onClose }: { onClose: () => void }) {
  return (
    <Drawer
      opened
      onClose={onClose}
      title={t('nav.conversations')}
      position="bottom"
      size="85%"
      styles={{ body: { padding: 0, display: 'flex', flexDirection: 'column' } }}
    >
      <SessionList onPick={onClose} />
    </Drawer>
  );
}
