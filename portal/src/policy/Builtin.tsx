// The rules of the release, as people read them; their text on demand.
import { Text } from '@mantine/core';
import { IconBan, IconCheck, IconChevronDown } from '@tabler/icons-react';
import type { PolicyRule } from '../api/types';
import { t } from '../strings';
import { coloured } from './colours';

export function Builtin({ rules }: { rules: PolicyRule[] }) {
  // What forbids is what nothing added gets around, so it comes first.
  const groups = [
    ['forbid', rules.filter((one) => one.effect === 'forbid')],
    ['permit', rules.filter((one) => one.effect !== 'forbid')],
  ] as const;
  return groups.map(([effect, list]) => (
    <section className="section" key={effect} aria-label={t(`rules.${effect}s`)}>
      <Text className="prose" size="sm" c="dimmed" mb="xs">
        {t(`rules.${effect}s`)}
      </Text>
      <ul className="rows">
        {list.map((rule) => (
          <li className="row rule" key={rule.id}>
            <Rule rule={rule} />
          </li>
        ))}
      </ul>
    </section>
  ));
}

function Rule({ rule }: { rule: PolicyRule }) {
  const forbids = rule.effect === 'forbid';
  const Icon = forbids ? IconBan : IconCheck;
  return (
    <details>
      <summary>
        <span className="state rule-effect" data-tone={forbids ? 'failed' : 'good'}>
          <Icon size={16} aria-hidden />
          {forbids ? t('rules.forbid') : t('rules.permit')}
        </span>
        <span className="rule-said">
          <span>{rule.description}</span>
          <code className="rule-name">{rule.id}</code>
        </span>
        <IconChevronDown size={18} aria-hidden className="rule-go" />
      </summary>
      <pre className="rule-text" tabIndex={0}>
        {coloured(rule.text).map((piece, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces are their places
          <span key={i} data-colour={piece.colour}>
            {piece.text}
          </span>
        ))}
      </pre>
    </details>
  );
}
