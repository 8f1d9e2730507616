// What narrows the list. Everything stands in the address, so that a view can be kept, sent and gone back to.
import { ActionIcon, Button, Select, TextInput, Tooltip } from '@mantine/core';
import { IconFilter, IconFilterOff } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useMe } from '../app/session';
import { has, t, tn } from '../strings';
import { short } from '../ui/format';
import type { Field, Filter } from './filter';
import { ACTIONS, type Names, OUTCOMES } from './words';

const word = (prefix: string, value: string) =>
  has(`${prefix}.${value}`) ? t(`${prefix}.${value}` as never) : value;

export function Filters(props: { filter: Filter; onChange: (filter: Filter) => void; names: Names }) {
  const { filter, names } = props;
  const me = useMe();
  const count = Object.keys(filter).length;
  const [open, setOpen] = useState(false);
  const change = (field: Field, value: string | undefined) => {
    const { [field]: _, ...rest } = filter;
    props.onChange(value ? { ...rest, [field]: value } : rest);
  };

  const people = [...names].filter(([id]) => id.startsWith('user_'));
  const actors = [
    ...(me ? [{ value: me.id, label: t('evidence.actor.me', { name: me.username }) }] : []),
    { value: 'system', label: t('actor.system') },
    ...people
      .filter(([id]) => id !== me?.id)
      .map(([value, label]) => ({ value, label }))
      .sort((a, b) => a.label.localeCompare(b.label)),
  ];
  // Somebody who is gone, or an agent: chosen from an entry.
  if (filter.actor && !actors.some((one) => one.value === filter.actor))
    actors.push({ value: filter.actor, label: names.get(filter.actor) ?? short(filter.actor) });

  const actions = Object.entries(ACTIONS).map(([kind, verbs]) => ({
    group: word('kind', kind),
    items: [
      ...(verbs.length > 1
        ? [{ value: `${kind}.`, label: t('evidence.action.all', { kind: word('kind', kind) }) }]
        : []),
      ...verbs.map((verb) => ({ value: `${kind}.${verb}`, label: word('action', `${kind}.${verb}`) })),
    ],
  }));
  const known = actions.some((group) => group.items.some((one) => one.value === filter.action));
  if (filter.action && !known)
    actions.push({
      group: t('evidence.action.other'),
      items: [{ value: filter.action, label: filter.action }],
    });

  const outcomes: string[] = [...OUTCOMES];
  if (filter.outcome && !outcomes.includes(filter.outcome)) outcomes.push(filter.outcome);
  return (
    <search className="filters-box">
      <Button
        className="only-phone filters-toggle"
        variant="default"
        fullWidth
        leftSection={<IconFilter size={16} />}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {count > 0 ? tn('evidence.filter.active', count) : t('evidence.filter')}
      </Button>
      <div className="filters" data-open={open || undefined} data-set={count > 0 || undefined}>
        <Select
          aria-label={t('evidence.actor')}
          placeholder={t('evidence.actor')}
          data={actors}
          value={filter.actor ?? null}
          onChange={(value) => change('actor', value ?? undefined)}
          searchable
          clearable
          allowDeselect
          nothingFoundMessage={t('palette.nothing')}
          clearButtonProps={{ 'aria-label': t('evidence.filter.clearOne', { field: t('evidence.actor') }) }}
        />
        <Select
          aria-label={t('evidence.action')}
          placeholder={t('evidence.action')}
          data={actions}
          value={filter.action ?? null}
          onChange={(value) => change('action', value ?? undefined)}
          searchable
          clearable
          allowDeselect
          nothingFoundMessage={t('palette.nothing')}
          maxDropdownHeight={360}
          clearButtonProps={{ 'aria-label': t('evidence.filter.clearOne', { field: t('evidence.action') }) }}
        />
        <Typed
          label={t('evidence.resource')}
          value={filter.resource_id ?? ''}
          onChange={(value) => change('resource_id', value)}
        />
        <Select
          aria-label={t('evidence.outcome')}
          placeholder={t('evidence.outcome')}
          data={outcomes.map((value) => ({ value, label: word('outcome', value) }))}
          value={filter.outcome ?? null}
          onChange={(value) => change('outcome', value ?? undefined)}
          clearable
          allowDeselect
          clearButtonProps={{ 'aria-label': t('evidence.filter.clearOne', { field: t('evidence.outcome') }) }}
        />
        {(['from', 'to'] as const).map((field) => (
          <TextInput
            key={field}
            type="date"
            className="filters-day"
            data-set={filter[field] ? true : undefined}
            leftSection={t(`evidence.${field}`)}
            leftSectionWidth={52}
            leftSectionProps={{ className: 'filter-hint' }}
            aria-label={t(`evidence.${field}.label`)}
            value={filter[field] ?? ''}
            max={field === 'from' ? filter.to : undefined}
            min={field === 'to' ? filter.from : undefined}
            onChange={(event) => change(field, event.currentTarget.value || undefined)}
          />
        ))}
        {count > 0 && (
          <Tooltip label={t('evidence.filter.clear')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              aria-label={t('evidence.filter.clear')}
              onClick={() => props.onChange({})}
            >
              <IconFilterOff size={18} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </search>
  );
}

/** An id is taken when it is entered, not at every letter. */
function Typed(props: { label: string; value: string; onChange: (value: string | undefined) => void }) {
  const [text, setText] = useState(props.value);
  useEffect(() => setText(props.value), [props.value]);
  const take = () => {
    const wanted = text.trim();
    if (wanted !== props.value) props.onChange(wanted || undefined);
  };
  return (
    <TextInput
      aria-label={props.label}
      placeholder={props.label}
      classNames={{ input: text ? 'mono' : '' }}
      value={text}
      autoCapitalize="none"
      spellCheck={false}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take();
      }}
    />
  );
}
