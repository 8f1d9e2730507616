// Tells a person that somebody else set their password. Who did that can sign in as them and choose another, so the server goes on
// telling for thirty days, and only this browser stops showing it.
import { CloseButton } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconKey } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Me } from '../api/types';
import { t } from '../strings';
import { exact } from '../ui/format';

export function ResetNotice({ reset }: { reset: NonNullable<Me['password_reset']> }) {
  const [seen, setSeen] = useLocalStorage({
    key: 'fractal-password-reset-seen',
    defaultValue: '',
    getInitialValueInEffect: false,
  });
  if (seen === reset.at) return null;
  return (
    <div className="lost" role="status">
      <IconKey size={16} aria-hidden />
      <span>
        {t('frame.reset', { name: reset.by, at: exact(reset.at) })}{' '}
        <Link to="/settings/account">{t('frame.reset.choose')}</Link>
      </span>
      <CloseButton aria-label={t('frame.reset.hide')} onClick={() => setSeen(reset.at)} />
    </div>
  );
}
