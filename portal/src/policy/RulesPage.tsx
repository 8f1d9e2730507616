// Access rules: those of one's own, the built-in ones, the versions there were, and what would be answered to whom.
import './colours.css';
import './policy.css';
import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { policyQuery } from '../api/queries';
import type { PolicyView } from '../api/types';
import { can, useMe } from '../app/session';
import { t } from '../strings';
import { Loaded, NotFound, PageBody } from '../ui/bits';
import { Added } from './Added';
import { Ask } from './Ask';
import { Builtin } from './Builtin';
import { useDraft, withTest } from './draft';
import { Versions } from './Versions';

const TABS = ['added', 'builtin', 'versions', 'ask'] as const;

export default function RulesPage() {
  const me = useMe();
  const may = can(me, 'policy.view');
  const query = useQuery({ ...policyQuery, enabled: may });
  if (me && !may) return <NotFound />;
  return (
    <PageBody title={t('settings.rules')} intro={t('rules.intro')} wide>
      <Loaded query={query} rows={4}>
        {(view) => <Rules view={view} />}
      </Loaded>
    </PageBody>
  );
}

function Rules({ view }: { view: PolicyView }) {
  const me = useMe();
  const drafting = useDraft(view);
  const [params, setParams] = useSearchParams();
  const tab = TABS.find((one) => one === params.get('tab')) ?? 'added';
  const go = (to: string | null) => setParams(to === 'added' || !to ? {} : { tab: to }, { replace: true });
  const editable = can(me, 'policy.update');
  return (
    <Tabs value={tab} onChange={go} keepMounted={false}>
      <Tabs.List className="rule-tabs">
        {TABS.map((one) => (
          <Tabs.Tab value={one} key={one}>
            {t(`rules.tab.${one}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="added" pt="lg">
        <Added view={view} drafting={drafting} />
      </Tabs.Panel>
      <Tabs.Panel value="builtin">
        <Builtin rules={view.builtin} />
      </Tabs.Panel>
      <Tabs.Panel value="versions" pt="lg">
        <Versions
          onUse={
            editable
              ? (version) => {
                  drafting.take(version.text, version.tests, t('rules.again', { n: version.version }));
                  go('added');
                }
              : undefined
          }
        />
      </Tabs.Panel>
      <Tabs.Panel value="ask" pt="lg">
        <Ask
          view={view}
          written={drafting.draft.text === view.text ? undefined : drafting.draft.text}
          onKeep={
            editable
              ? (test) => {
                  drafting.edit({ tests: withTest(drafting.draft.tests, test) });
                  go('added');
                }
              : undefined
          }
        />
      </Tabs.Panel>
    </Tabs>
  );
}
