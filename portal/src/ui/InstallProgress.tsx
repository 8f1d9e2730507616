// How far the installation of OpenClaw is: packages and bytes, with a bar that follows the bytes.
import { Progress, Text } from '@mantine/core';
import type { EngineProgress } from '../api/types';
import { t, tWord } from '../strings';
import { bytes, number } from './format';

export function InstallProgress({ progress }: { progress: EngineProgress }) {
  const known = progress.packages_total > 0;
  const total = progress.bytes_total ?? 0;
  const share = total > 0 ? progress.bytes / total : progress.packages_done / progress.packages_total;
  return (
    <div style={{ maxWidth: 360 }}>
      <Text size="xs" c="dimmed">
        {tWord('install', progress.phase)}
        {known &&
          ` · ${t('install.progress', {
            done: number(progress.packages_done),
            total: number(progress.packages_total),
            size: bytes(progress.bytes),
            of: bytes(total),
          })}`}
      </Text>
      <Progress
        mt={4}
        size={4}
        // What is being prepared or verified has no figure; an empty bar would say "nothing yet", a full one "done".
        value={known ? Math.min(99, share * 100) : 100}
        animated={!known}
        aria-label={t('status.progress')}
      />
    </div>
  );
}
