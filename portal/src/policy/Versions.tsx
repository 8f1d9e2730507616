// Every version there was: who put it in force, when and why, and what it changed.
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconChevronDown, IconCircleCheck, IconHistory } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { policyVersionQuery, policyVersionsQuery } from '../api/queries';
import type { PolicyVersionView } from '../api/types';
import { t, tn } from '../strings';
import { Empty, Loaded, ProblemAlert, Time } from '../ui/bits';
import { Diff } from './Diff';
import { asJson } from './draft';

export function Versions({ onUse }: { onUse: ((version: PolicyVersionView) => void) | undefined }) {
  const query = useInfiniteQuery(policyVersionsQuery);
  const [params, setParams] = useSearchParams();
  const open = Number(params.get('version') ?? 0);
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const list = pages.flatMap((page) => page.items);
        if (list.length === 0)
          return (
            <Empty
              icon={<IconHistory size={36} stroke={1.4} aria-hidden />}
              title={t('rules.versions.none')}
              hint={t('rules.versions.none.hint')}
            />
          );
        return (
          <Stack gap="md">
            <ol className="rows">
              {list.map((one) => (
                <li className="version" key={one.version}>
                  <Version
                    version={one}
                    open={open === one.version}
                    onToggle={() =>
                      setParams(
                        open === one.version
                          ? { tab: 'versions' }
                          : { tab: 'versions', version: String(one.version) },
                        { replace: true },
                      )
                    }
                    onUse={onUse}
                  />
                </li>
              ))}
            </ol>
            {query.hasNextPage && (
              <Button
                variant="default"
                loading={query.isFetchingNextPage}
                onClick={() => void query.fetchNextPage()}
              >
                {t('rules.versions.older')}
              </Button>
            )}
          </Stack>
        );
      }}
    </Loaded>
  );
}

function Version(props: {
  version: PolicyVersionView;
  open: boolean;
  onToggle: () => void;
  onUse: ((version: PolicyVersionView) => void) | undefined;
}) {
  const { version, open, onUse } = props;
  return (
    <>
      <button
        type="button"
        className="row row-link version-head"
        aria-expanded={open}
        onClick={props.onToggle}
      >
        <span className="row-main">
          <span className="version-name">
            {t('rules.version', { n: version.version })}
            {version.in_force && (
              <span className="state" data-tone="good">
                <IconCircleCheck size={16} aria-hidden />
                {t('rules.inForce')}
              </span>
            )}
          </span>
          {version.comment && <span className="version-why">{version.comment}</span>}
          <span className="version-who">
            {version.author?.username ?? t('rules.onMachine')} · <Time at={version.created_at} />
            {version.text.trim() === '' && <> · {t('rules.none')}</>}
            {version.tests.length > 0 && <> · {tn('rules.versions.tests', version.tests.length)}</>}
          </span>
        </span>
        <IconChevronDown size={18} aria-hidden className="version-go" data-open={open || undefined} />
      </button>
      {open && <Opened version={version} onUse={onUse} />}
    </>
  );
}

function Opened({ version, onUse }: Pick<Parameters<typeof Version>[0], 'version' | 'onUse'>) {
  const first = version.version <= 1;
  const query = useQuery({ ...policyVersionQuery(version.version - 1), enabled: !first });
  if (query.error) return <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />;
  if (!first && !query.data) return <div className="version-body" aria-busy="true" />;
  const before = query.data;
  const [was, is] = [asJson(before?.tests ?? []), asJson(version.tests)];
  return (
    <Stack className="version-body" gap="sm">
      <Text size="sm" fw={600}>
        {first ? t('rules.diff.first') : t('rules.diff', { n: version.version - 1 })}
      </Text>
      <Diff before={before?.text ?? ''} after={version.text} label={t('rules.text')} />
      {was !== is && (
        <>
          <Text size="sm" fw={600}>
            {t('rules.tests')}
          </Text>
          <Diff before={was} after={is} label={t('rules.tests')} />
        </>
      )}
      {onUse && !version.in_force && (
        <Group>
          <Button variant="default" onClick={() => onUse(version)}>
            {t('rules.versions.use')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
