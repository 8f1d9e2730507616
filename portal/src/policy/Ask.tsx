// One question to the rules: who, what, which thing and whose; the answer comes while one chooses, and can be kept as a test.
import { Button, Checkbox, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { IconBan, IconCheck, IconHourglass, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api } from '../api/client';
import { usersQuery } from '../api/queries';
import type {
  PolicyDecision,
  PolicyOwner,
  PolicyRequest,
  PolicyRule,
  PolicySimulation,
  PolicyTest,
  PolicyView,
  Role,
} from '../api/types';
import { can, useMe } from '../app/session';
import { has, t, tWord } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { sentence } from '../ui/format';
import { type ActionOf, actionsOf, hasRole, isOwned } from './schema';
import { approvals } from './words';

const ROLES: Role[] = ['member', 'auditor', 'admin', 'owner'];

interface Asked {
  /** A role, or `user:` with an id. */
  who: string;
  action: string;
  kind: string;
  owner: PolicyOwner;
  role: Role;
  becomes: Role;
  approved: boolean;
}

/** The question without what does not belong to its kind of thing. */
function requestOf(asked: Asked, kind: string): PolicyRequest {
  const [, person] = /^user:(.*)$/.exec(asked.who) ?? [];
  const owner = asked.owner === 'organization' && kind !== 'provider' ? 'other' : asked.owner;
  return {
    actor: person ? { user: person } : { role: asked.who as Role },
    action: asked.action,
    resource: {
      kind,
      ...(isOwned(kind) ? { owner } : {}),
      ...(hasRole(kind) ? { role: asked.role } : {}),
      ...(asked.action === 'user.set_role' ? { becomes: asked.becomes } : {}),
    },
    ...(asked.approved ? { approved: true } : {}),
  };
}

export function Ask(props: {
  view: PolicyView;
  /** The text being written, when it is another than that in force. */
  written: string | undefined;
  onKeep: ((test: PolicyTest) => void) | undefined;
}) {
  const { view, written, onKeep } = props;
  const me = useMe();
  const users = useQuery({ ...usersQuery, enabled: can(me, 'user.list') }).data ?? [];
  const actions = useMemo(() => actionsOf(view.schema), [view.schema]);
  const [asked, setAsked] = useState<Asked>({
    who: 'member',
    action: 'instance.configure',
    kind: 'instance',
    owner: 'other',
    role: 'member',
    becomes: 'admin',
    approved: false,
  });
  const [mine, setMine] = useState(written !== undefined);
  const set = (change: Partial<Asked>) => setAsked((before) => ({ ...before, ...change }));
  const kinds = actions.find((one) => one.name === asked.action)?.kinds ?? [asked.kind];
  const kind = kinds.includes(asked.kind) ? asked.kind : (kinds[0] ?? asked.kind);
  const request = requestOf(asked, kind);
  const text = mine ? written : undefined;

  const answer = useQuery({
    queryKey: ['policy-ask', view.version, text, request],
    queryFn: async () => {
      const body = text === undefined ? { request } : { request, text };
      return (await api.post<PolicySimulation>('/api/v1/policy/simulate', body)).decision ?? undefined;
    },
    placeholderData: keepPreviousData,
    retry: false,
  });
  const owners: PolicyOwner[] = kind === 'provider' ? ['self', 'other', 'organization'] : ['self', 'other'];
  const roles = ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }));
  return (
    <div className="ask-rules">
      <Stack gap="md">
        {written !== undefined && (
          <SegmentedControl
            aria-label={t('rules.ask.under')}
            value={mine ? 'mine' : 'force'}
            onChange={(value) => setMine(value === 'mine')}
            data={[
              { value: 'force', label: t('rules.ask.force') },
              { value: 'mine', label: t('rules.ask.mine') },
            ]}
          />
        )}
        <Select
          label={t('rules.ask.who')}
          searchable
          value={asked.who}
          onChange={(who) => who && set({ who })}
          data={[
            { group: t('rules.ask.roles'), items: roles },
            ...(users.length > 0
              ? [
                  {
                    group: t('rules.ask.people'),
                    items: users.map((one) => ({ value: `user:${one.id}`, label: one.username })),
                  },
                ]
              : []),
          ]}
        />
        <Select
          label={t('rules.what')}
          description={has(`action.${asked.action}`) ? tWord('action', asked.action) : undefined}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          searchable
          classNames={{ input: 'mono', option: 'mono' }}
          value={asked.action}
          onChange={(action) => action && set({ action })}
          data={grouped(actions)}
        />
        {kinds.length > 1 && (
          <Select
            label={t('rules.thing')}
            value={kind}
            onChange={(next) => next && set({ kind: next })}
            data={kinds.map((one) => ({ value: one, label: tWord('kind', one) }))}
          />
        )}
        {isOwned(kind) && (
          <div>
            <Text size="sm" fw={600} mb={4}>
              {kind === 'user' ? t('rules.ask.whom') : t('rules.ask.whose', { thing: tWord('kind', kind) })}
            </Text>
            <SegmentedControl
              fullWidth
              aria-label={t('rules.ask.owner')}
              value={request.resource.owner ?? 'self'}
              onChange={(owner) => set({ owner: owner as PolicyOwner })}
              data={owners.map((one) => ({
                value: one,
                label:
                  kind !== 'user'
                    ? t(`rules.whose.${one}`)
                    : t(one === 'self' ? 'rules.whom.self' : 'rules.whom.other'),
              }))}
            />
          </div>
        )}
        {hasRole(kind) && (
          <Select
            label={kind === 'user' ? t('rules.ask.theirRole') : t('rules.ask.givenRole')}
            value={asked.role}
            onChange={(role) => role && set({ role: role as Role })}
            data={roles}
          />
        )}
        {asked.action === 'user.set_role' && (
          <Select
            label={t('rules.ask.becomes')}
            value={asked.becomes}
            onChange={(role) => role && set({ becomes: role as Role })}
            data={roles}
          />
        )}
        <Checkbox
          label={t('rules.ask.approved')}
          checked={asked.approved}
          onChange={(event) => set({ approved: event.currentTarget.checked })}
        />
      </Stack>
      <div className="answer-box" aria-live="polite">
        <ProblemAlert error={answer.error} />
        {answer.data && !answer.error && (
          <Answer decision={answer.data} rules={view.builtin} old={answer.isPlaceholderData}>
            {onKeep && !request.actor.user && (
              <Button
                variant="default"
                leftSection={<IconPlus size={16} />}
                disabled={answer.isPlaceholderData}
                onClick={() =>
                  answer.data && onKeep({ name: nameOf(request), expect: answer.data.outcome, request })
                }
              >
                {t('rules.ask.keep')}
              </Button>
            )}
          </Answer>
        )}
      </div>
    </div>
  );
}

/** "Member: instance.delete, of somebody else", to be said better by who keeps it. */
function nameOf({ actor, action, resource }: PolicyRequest): string {
  const whose = resource.owner ? `, ${t(`rules.whose.${resource.owner}`)}` : '';
  return `${t(`role.${actor.role ?? 'member'}`)}: ${action}${whose}`;
}

function grouped(actions: ActionOf[]) {
  const groups = new Map<string, string[]>();
  for (const { name } of actions) {
    const noun = name.split('.')[0] ?? name;
    groups.set(noun, [...(groups.get(noun) ?? []), name]);
  }
  return [...groups].map(([noun, items]) => ({ group: tWord('kind', noun), items }));
}

const SIGNS = { allow: IconCheck, deny: IconBan, needs_approval: IconHourglass };

function Answer(props: {
  decision: PolicyDecision;
  rules: PolicyRule[];
  old: boolean;
  children: React.ReactNode;
}) {
  const { decision, rules } = props;
  const Sign = SIGNS[decision.outcome];
  return (
    <section
      className="card answer"
      data-outcome={decision.outcome}
      data-old={props.old || undefined}
      aria-label={t('rules.ask.answer')}
    >
      <div className="answer-head">
        <Sign size={28} aria-hidden />
        <span>{t(`decision.${decision.outcome}`)}</span>
      </div>
      {decision.approvals.length > 0 && <Text size="sm">{approvals(decision)}</Text>}
      {decision.policies.length === 0 ? (
        <Text size="sm">{sentence(tWord('because', decision.reason ?? 'not_permitted'))}</Text>
      ) : (
        <div>
          <Text size="sm" c="dimmed" mb={4}>
            {t('rules.ask.by')}
          </Text>
          <ul className="answer-rules">
            {decision.policies.map((name) => (
              <li key={name}>
                <code className="rule-name">{name}</code>
                <span>
                  {rules.find((one) => one.id === name)?.description ?? sentence(t('rules.ask.own'))}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {props.children}
    </section>
  );
}
