// Verifying an entry in the browser: one button, then what was checked.
import { Button, Text } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import type { EvidenceView } from '../api/types';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { Checks, Unable } from './Checks';
import { passes } from './check';
import { verify } from './look';

export function Verify({ entry }: { entry: EvidenceView }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [found, setFound] = useState<Awaited<ReturnType<typeof verify>> | undefined>();
  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      setFound(await verify(entry));
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const fits = found && passes(found.steps);
  return (
    <section className="entry-part" aria-label={t('verify.title')}>
      <div className="verify-head">
        <div>
          <Text fw={600} size="sm" component="h3" m={0}>
            {t('verify.title')}
          </Text>
          <Text size="sm" c="dimmed">
            {t('verify.hint')}
          </Text>
        </div>
        <Button
          variant={found ? 'default' : 'light'}
          leftSection={<IconShieldCheck size={16} />}
          loading={busy}
          onClick={() => void run()}
        >
          {found ? t('verify.again') : t('verify.action')}
        </Button>
      </div>
      <ProblemAlert error={error} />
      <div role="status">
        {found && found.able !== 'ok' && <Unable able={found.able} />}
        {found && found.able === 'ok' && (
          <>
            <p className="verdict" data-tone={fits ? 'good' : 'failed'}>
              {fits ? t('verify.fits') : t('verify.broken')}
            </p>
            <Checks steps={found.steps} />
            {!fits && (
              <Text size="sm" mt="sm">
                {t('verify.broken.remedy')}
              </Text>
            )}
          </>
        )}
      </div>
    </section>
  );
}
