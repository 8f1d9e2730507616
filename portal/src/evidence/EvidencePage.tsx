// Everything that was done here: a list that can be narrowed, and each entry with all it says.
import './evidence.css';
import { Button, Group, Text } from '@mantine/core';
import { IconArrowUp, IconChevronDown, IconListSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { MOST_RECENT, useRecent } from '../api/happenings';
import { evidenceQuery, queryClient } from '../api/queries';
import { can, useMe } from '../app/session';
import { t, tn } from '../strings';
import { Empty, Loaded, NotFound, PageBody } from '../ui/bits';
import { EntryDrawer } from './EntryDrawer';
import { Export } from './Export';
import { Filters } from './Filters';
import { FIELDS, type Filter, filterOf, matches, queryOf } from './filter';
import { HeadCard } from './HeadCard';
import { Ledger } from './Ledger';
import { headQuery } from './look';
import { ProofDrawer } from './ProofDrawer';
import { WitnessCard, WitnessDrawer } from './Witnesses';
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
  const me = useMe();
  const [params, setParams] = useSearchParams();
  const turn = (drawer: string, open: boolean) =>
    setParams((now) => {
      if (open) now.set(drawer, '');
      else now.delete(drawer);
      return now;
    });
  return (
    <div className="head-box">
      <HeadCard onMore={() => turn('proof', true)} />
      <ProofDrawer opened={params.has('proof')} onClose={() => turn('proof', false)} />
      {can(me, 'witness.view') && (
        <>
          <WitnessCard onMore={() => turn('witnesses', true)} />
          <WitnessDrawer opened={params.has('witnesses')} onClose={() => turn('witnesses', false)} />
        </>
      )}
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
  const newest = entries?.[0]?.seq ?? 0;
  const recent = useRecent();
  const waiting = entries ? recent.filter((one) => one.seq > newest && matches(wanted, one)) : [];
  // So much came that not all of it is remembered.
  const gap = recent.length >= MOST_RECENT && (recent.at(-1)?.seq ?? 0) > newest + 1;

  /** Puts what came above the list, when it is asked for: what somebody reads does not move by itself. */
  const take = () => {
    const { queryKey } = evidenceQuery(wanted);
    if (gap) void queryClient.resetQueries({ queryKey });
    else
      queryClient.setQueryData(queryKey, (data) => {
        const [first, ...rest] = data?.pages ?? [];
        if (!data || !first) return data;
        return { ...data, pages: [{ ...first, items: [...waiting, ...first.items] }, ...rest] };
      });
    void queryClient.invalidateQueries({ queryKey: headQuery.queryKey });
    document.querySelector('.content')?.scrollTo({ top: 0 });
  };

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
      <div className="waiting" role="status">
        {waiting.length > 0 && (
          <Button size="xs" radius="xl" leftSection={<IconArrowUp size={14} />} onClick={take}>
            {gap ? t('evidence.new.many') : tn('evidence.new', waiting.length)}
          </Button>
        )}
      </div>
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
            <div data-old={query.isPlaceholderData || undefined} className="ledger-box">
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
                  !query.isPlaceholderData && (
                    <Text size="sm" c="dimmed">
                      {Object.keys(filter).length > 0 ? t('evidence.noMore') : t('evidence.beginning')}
                    </Text>
                  )
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
