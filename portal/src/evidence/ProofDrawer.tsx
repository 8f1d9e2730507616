// The key and the head that this browser keeps, and what they are worth.
import { Alert, Button, Code, Drawer, Group, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { queryClient } from '../api/queries';
import { t, tn } from '../strings';
import { Copy, Time } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { useForm } from '../ui/useForm';
import type { Kept } from './check';
import { keep, useKept } from './kept';
import { headQuery } from './look';
import { parseKey } from './note';

export function ProofDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size={560} title={t('proof.title')}>
      {opened && <Proof />}
    </Drawer>
  );
}

/** Another key counts from now on; the heads signed by the one before say nothing about it. */
async function trust(key: string): Promise<void> {
  keep({ key, keySince: new Date().toISOString() });
  await queryClient.invalidateQueries({ queryKey: headQuery.queryKey });
}

function Proof() {
  const look = useQuery(headQuery).data;
  const kept = useKept();
  const [asking, setAsking] = useState<'key' | 'log' | undefined>();
  const presented = look?.head.key;
  const other = kept && presented && presented !== kept.key ? presented : undefined;
  const broken = look?.check?.steps.some((step) => step.name === 'growth' && step.state === 'failed');
  return (
    <>
      <Part title={t('worth.title')}>
        <ul className="worth">
          {(['worth.changed', 'worth.here', 'worth.grew'] as const).map((key) => (
            <li key={key}>{t(key)}</li>
          ))}
        </ul>
        <Text fw={600} size="sm" component="h3" m={0}>
          {t('worth.not')}
        </Text>
        <ul className="worth">
          {(['worth.not.key', 'worth.not.true', 'worth.not.page'] as const).map((key) => (
            <li key={key}>{t(key)}</li>
          ))}
        </ul>
      </Part>
      <Part title={t('proof.key')}>
        {kept ? (
          <>
            <Text size="sm" c="dimmed">
              {t('proof.key.since')} <Time at={kept.keySince} />. {t('proof.key.compare')}{' '}
              <code>fractal evidence key</code>
            </Text>
            <Block text={kept.key} label={t('proof.key.copy')} />
          </>
        ) : (
          <Text size="sm" c="dimmed">
            {t('proof.key.none')}
          </Text>
        )}
        {other && (
          <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} />} title={t('proof.key.other')}>
            <Block text={other} label={t('proof.key.copyOther')} />
            <Button size="xs" variant="default" mt="sm" onClick={() => setAsking('key')}>
              {t('proof.key.trust')}
            </Button>
          </Alert>
        )}
        <Paste />
      </Part>
      <Part title={t('proof.head')}>
        {kept?.head ? (
          <>
            <Text size="sm" c="dimmed">
              {tn('head.size', sizeOf(kept.head.note))} · {t('proof.head.seen')} <Time at={kept.head.at} />.{' '}
              {t('proof.head.hint')}
            </Text>
            <Block text={kept.head.note} label={t('proof.head.copy')} />
            <div>
              <Button
                size="xs"
                variant="default"
                component="a"
                href={`data:text/plain;charset=utf-8,${encodeURIComponent(kept.head.note)}`}
                download={`checkpoint-${sizeOf(kept.head.note)}.txt`}
                leftSection={<IconDownload size={14} />}
              >
                {t('proof.head.save')}
              </Button>
            </div>
          </>
        ) : (
          <Text size="sm" c="dimmed">
            {t('proof.head.none')}
          </Text>
        )}
        {broken && !other && (
          <div>
            <Button size="xs" variant="default" onClick={() => setAsking('log')}>
              {t('proof.log.trust')}
            </Button>
          </div>
        )}
      </Part>
      <Part title={t('proof.elsewhere')}>
        <Text size="sm" c="dimmed">
          {t('proof.elsewhere.hint')}
        </Text>
        <Block text={command(kept)} label={t('proof.elsewhere.copy')} />
      </Part>
      {asking && kept && (
        <Confirm
          title={t(asking === 'key' ? 'proof.key.trust.title' : 'proof.log.trust.title')}
          action={t(asking === 'key' ? 'proof.key.trust' : 'proof.log.trust')}
          danger
          onClose={() => setAsking(undefined)}
          onConfirm={() => trust(asking === 'key' ? (other ?? kept.key) : kept.key)}
        >
          {t(asking === 'key' ? 'proof.key.trust.hint' : 'proof.log.trust.hint')}
        </Confirm>
      )}
    </>
  );
}

const sizeOf = (note: string) => Number(note.split('\n')[1]);

/** What to type on a machine that has the export, and what was kept, beside it. */
function command(kept: Kept | undefined): string {
  const checkpoint = kept?.head ? ` --checkpoint checkpoint-${sizeOf(kept.head.note)}.txt` : '';
  return `fractal evidence verify evidence.jsonl --key '${kept?.key ?? 'KEY'}'${checkpoint}`;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="proof-part">
      <Text fw={600} size="sm" component="h3" m={0}>
        {title}
      </Text>
      {children}
    </section>
  );
}

function Block({ text, label }: { text: string; label: string }) {
  return (
    <Group wrap="nowrap" gap="xs" align="flex-start">
      <Code block className="proof-block">
        {text.trimEnd()}
      </Code>
      <Copy text={text} label={label} />
    </Group>
  );
}

/** A key that was kept elsewhere counts more than whatever was presented here first. */
function Paste() {
  const form = useForm({ key: '' });
  const [done, setDone] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setDone(false);
    const key = await parseKey(form.values.key);
    if (form.refuse({ key: typeof key === 'string' && t(`proof.paste.${key}`) })) return;
    if (typeof key === 'string') return;
    await form.submit(() => trust(key.text));
    form.setValues({ key: '' });
    setDone(true);
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <TextInput
        label={t('proof.paste')}
        description={t('proof.paste.hint')}
        placeholder="name+id+key"
        classNames={{ input: 'mono' }}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        {...form.text('key')}
      />
      <Group gap="md" mt="xs">
        <Button type="submit" size="xs" variant="default" loading={form.busy}>
          {t('proof.paste.action')}
        </Button>
        <Text size="sm" c="var(--good)" role="status">
          {done && t('common.savedNow')}
        </Text>
      </Group>
    </form>
  );
}
