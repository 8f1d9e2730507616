// Everything that was done here: a list that can be narrowed, and each entry with all it says.
import './evidence.css';
import { Button, Group, Text } from '@mantine/core';
import { IconChevronDown, IconListSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { useSearchParams } from 'react-router';
import { evidenceQuery } from '../api/queries';
import { can, useMe } from '../app/session';
import { t } from '../strings';
import { Empty, Loaded, NotFound, PageBody } from '../ui/bits';
import { EntryDrawer } from './EntryDrawer';
import { Export } from './Export';
import { Filters } from './Filters';
import { FIELDS, type Filter, filterOf, queryOf } from './filter';
import { HeadCard } from './HeadCard';
import { Ledger } from './Ledger';
import { ProofDrawer } from './ProofDrawer';
import { useNames } from './words';

export default function EvidencePage() {
  const me = useMe();
  if (me && !can(me, 'evidence.view')) return <NotFound />;
  return (
    <PageBody title={t('nav.evidence')} intro={t('evidence.intro')} action={<Export />} wide>
      <Head />
      <Log />
    </PageBody>
  );
}

function Head() {
  const [params, setParams] = useSearchParams();
  const turn = (open: boolean) =>
    setParams((now) => {
      if (open) now.set('proof', '');
      else now.delete('proof');
      return now;
    });
  return (
    <div className="head-box">
      <HeadCard onMore={() => turn(true)} />
      <ProofDrawer opened={params.has('proof')} onClose={() => turn(false)} />
    </div>
  );
}

function Log() {
  const [params, setParams] = useSearchParams();
  const filter = filterOf(params);
  const names = useNames();
  const wanted = queryOf(filter);
  const query = useInfiniteQuery({ ...evidenceQuery(wanted), placeholderData: keepPreviousData });
  const entries = query.data?.pages.flatMap((page) => page.items);
  const list = useRef<HTMLDivElement>(null);

  /** Another filter begins at its top, without an entry beside it. */
  const narrow = (next: Filter) =>
    setParams((now) => {
      for (const field of FIELDS) {
        if (next[field]) now.set(field, next[field]);
        else now.delete(field);
      }
      now.delete('seq');
      return now;
    });
  const show = (seq: number | undefined, replace = false) =>
    setParams(
      (now) => {
        if (seq === undefined) now.delete('seq');
        else now.set('seq', String(seq));
        return now;
      },
      { replace },
    );

  const given = Number(params.get('seq'));
  const seq = Number.isSafeInteger(given) && given > 0 ? given : undefined;
  return (
    <>
      <Filters filter={filter} onChange={narrow} names={names} />
      <Loaded query={{ ...query, data: entries }} rows={8}>
        {(found) =>
          found.length === 0 ? (
            <Empty
              icon={<IconListSearch size={36} stroke={1.4} aria-hidden />}
              title={Object.keys(filter).length > 0 ? t('evidence.noneFound') : t('evidence.none')}
              hint={Object.keys(filter).length > 0 ? t('evidence.noneFound.hint') : t('evidence.none.hint')}
              action={
                Object.keys(filter).length > 0 && (
                  <Button variant="default" onClick={() => narrow({})}>
                    {t('evidence.filter.clear')}
                  </Button>
                )
              }
            />
          ) : (
            <div ref={list} data-old={query.isPlaceholderData || undefined} className="ledger-box">
              <Ledger entries={found} names={names} selected={seq} onOpen={show} />
              <Group justify="center" mt="md">
                {query.hasNextPage ? (
                  <Button
                    variant="default"
                    leftSection={<IconChevronDown size={16} />}
                    loading={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                  >
                    {t('evidence.older')}
                  </Button>
                ) : (
                  <Text size="sm" c="dimmed">
                    {Object.keys(filter).length > 0 ? t('evidence.noMore') : t('evidence.beginning')}
                  </Text>
                )}
              </Group>
            </div>
          )
        }
      </Loaded>
      <EntryDrawer
        seq={seq}
        known={entries}
        names={names}
        onShow={(other) => show(other, true)}
        onNarrow={narrow}
        onClose={() => show(undefined)}
      />
    </>
  );
}
