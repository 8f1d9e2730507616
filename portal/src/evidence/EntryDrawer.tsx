// One entry with everything it says: its fields, its values or only their commitments, and why it was allowed.
import { ActionIcon, Button, Drawer, Group, Text, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconFilter } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef } from 'react';
import { evidenceEntryQuery } from '../api/queries';
import type { EvidenceView } from '../api/types';
import { reduceMotion } from '../app/theme';
import { t, tWord } from '../strings';
import { Copy, Id, Loaded, Time } from '../ui/bits';
import { exact } from '../ui/format';
import type { Filter } from './filter';
import { Verify } from './Verify';
import { type Names, Outcome, onWhat, who } from './words';

interface Props {
  seq: number | undefined;
  /** Entries of the list, so that what is on the screen opens at once. */
  known: readonly EvidenceView[] | undefined;
  names: Names;
  onShow: (seq: number) => void;
  onNarrow: (filter: Filter) => void;
  onClose: () => void;
}

export function EntryDrawer(props: Props) {
  // What was shown stays while the drawer slides away.
  const last = useRef(1);
  if (props.seq !== undefined) last.current = props.seq;
  const seq = last.current;
  const at = props.known?.findIndex((one) => one.seq === seq) ?? -1;
  const [newer, older] = [
    at > 0 ? props.known?.[at - 1] : undefined,
    at >= 0 ? props.known?.[at + 1] : undefined,
  ];
  return (
    <Drawer.Root
      opened={props.seq !== undefined}
      onClose={props.onClose}
      position="right"
      size={560}
      transitionProps={{ duration: reduceMotion ? 0 : 150 }}
    >
      <Drawer.Overlay />
      <Drawer.Content className="entry-drawer">
        <Drawer.Header style={{ gap: 4 }}>
          <Drawer.Title style={{ flex: 1 }}>{t('evidence.entry', { n: seq })}</Drawer.Title>
          <Step label={t('evidence.newer')} to={newer} onShow={props.onShow} Icon={IconChevronUp} />
          <Step label={t('evidence.olderOne')} to={older} onShow={props.onShow} Icon={IconChevronDown} />
          <Drawer.CloseButton ml={8} aria-label={t('common.close')} />
        </Drawer.Header>
        <Drawer.Body>
          {props.seq !== undefined && <Entry {...props} seq={seq} entry={props.known?.[at]} key={seq} />}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function Step(props: {
  label: string;
  to: EvidenceView | undefined;
  onShow: (seq: number) => void;
  Icon: typeof IconChevronUp;
}) {
  const { to } = props;
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={props.label}
        disabled={!to}
        onClick={() => to && props.onShow(to.seq)}
      >
        <props.Icon size={18} />
      </ActionIcon>
    </Tooltip>
  );
}

function Entry(props: Props & { seq: number; entry: EvidenceView | undefined }) {
  const query = useQuery({ ...evidenceEntryQuery(props.seq), enabled: props.entry === undefined });
  return (
    <Loaded query={{ ...query, data: props.entry ?? query.data }} rows={6}>
      {(entry) => <Facts {...props} entry={entry} />}
    </Loaded>
  );
}

function Facts({ entry, names, onNarrow }: Props & { entry: EvidenceView }) {
  const thing = onWhat(entry, names);
  const policies = entry.decision?.policies ?? [];
  const by = entry.actor_id || (entry.via === 'internal' ? 'system' : undefined);
  return (
    <>
      <Group justify="space-between" align="flex-start" gap="md" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Text fw={600} size="lg" component="h3" m={0}>
            {tWord('action', entry.action)}
          </Text>
          <div className="raw">{entry.action}</div>
        </div>
        <Outcome outcome={entry.outcome} />
      </Group>
      <dl className="facts entry-facts">
        <dt>{t('evidence.when')}</dt>
        <dd>
          {exact(entry.at)}{' '}
          <Text span size="sm" c="dimmed">
            · <Time at={entry.at} />
          </Text>
        </dd>
        <dt>{t('evidence.who')}</dt>
        <dd>
          {who(entry, names)}
          {entry.actor_id && (
            <div>
              <Id id={entry.actor_id} />
            </div>
          )}
        </dd>
        <dt>{t('evidence.via')}</dt>
        <dd>{tWord('via', entry.via)}</dd>
        <dt>{t('evidence.on')}</dt>
        <dd>
          {thing.kind}
          {thing.name && `: ${thing.name}`}
          {entry.resource_id && (
            <div>
              <Id id={entry.resource_id} />
            </div>
          )}
        </dd>
        <dt>{t('evidence.decision')}</dt>
        <dd>
          {policies.length === 0 ? (
            <Text span size="sm" c="dimmed">
              {entry.decision?.allowed === false
                ? t('evidence.decision.nothing')
                : t('evidence.decision.none')}
            </Text>
          ) : (
            policies.map((one) => (
              <code className="policy" key={one}>
                {one}
              </code>
            ))
          )}
        </dd>
        <dt>{t('evidence.request')}</dt>
        <dd>{entry.request_id ? <Id id={entry.request_id} /> : <Dim>{t('evidence.request.none')}</Dim>}</dd>
        <dt>{t('evidence.id')}</dt>
        <dd>
          <Id id={entry.id} />
        </dd>
      </dl>
      <Values entry={entry} />
      <Verify entry={entry} />
      <Group gap="xs" mt="lg">
        {by && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconFilter size={14} />}
            onClick={() => onNarrow({ actor: by })}
          >
            {t('evidence.allBy', { name: who(entry, names) })}
          </Button>
        )}
        {entry.resource_id && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconFilter size={14} />}
            onClick={() => onNarrow({ resource_id: entry.resource_id })}
          >
            {t('evidence.allOn')}
          </Button>
        )}
        <Copy text={JSON.stringify(entry, null, 2)} label={t('evidence.copy')} />
      </Group>
    </>
  );
}

function Dim({ children }: { children: ReactNode }) {
  return (
    <Text span size="sm" c="dimmed">
      {children}
    </Text>
  );
}

/** Every value that was committed to, shown or not. */
function Values({ entry }: { entry: EvidenceView }) {
  const fields = Object.keys(entry.commitments);
  return (
    <section className="entry-part">
      <Text fw={600} size="sm" component="h3" m={0}>
        {t('evidence.values')}
      </Text>
      {fields.length === 0 && <Dim>{t('evidence.values.none')}</Dim>}
      <dl className="facts">
        {fields.map((field) => (
          <Value key={field} field={field} entry={entry} />
        ))}
      </dl>
    </section>
  );
}

function Value({ field, entry }: { field: string; entry: EvidenceView }) {
  const shown = field in entry.values;
  const value = entry.values[field];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return (
    <>
      <dt>{tWord('detail', field).replaceAll('_', ' ')}</dt>
      <dd>
        {shown ? (
          <span className="value">
            <span className="mono">{text === 'null' ? '–' : text}</span>
            {text !== 'null' && <Copy text={text} size={14} />}
          </span>
        ) : (
          <>
            <Dim>
              {t(entry.erased?.includes(field) ? 'evidence.values.erased' : 'evidence.values.hidden')}
            </Dim>
            <div>
              <Id id={entry.commitments[field] ?? ''} />
            </div>
          </>
        )}
      </dd>
    </>
  );
}
