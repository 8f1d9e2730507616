// What the check found, worst first where it is in the text: each leads to its line.
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconLoader2 } from '@tabler/icons-react';
import type { PolicyFinding } from '../api/types';
import { t, tn } from '../strings';
import { sentence } from '../ui/format';
import type { Checked } from './check';

export function Findings(props: {
  checked: Checked;
  empty: boolean;
  /** What the server said about the text as a whole when it was to be put in force. */
  refused: string | undefined;
  onJump: (finding: PolicyFinding) => void;
}) {
  const { check } = props.checked;
  const findings = check?.findings ?? [];
  return (
    <div className="findings" aria-live="polite">
      {props.refused && (
        <div className="finding" data-severity="error">
          <IconCircleX size={18} aria-hidden />
          <span>{sentence(props.refused)}</span>
        </div>
      )}
      {findings.length > 0 && (
        <ul aria-label={t('rules.findings')}>
          {findings.map((one) => (
            <li key={`${one.line}:${one.column} ${one.message}`}>
              <button
                type="button"
                className="finding"
                data-severity={one.severity}
                onClick={() => props.onJump(one)}
              >
                {one.severity === 'error' ? (
                  <IconCircleX size={18} aria-label={t('rules.error')} role="img" />
                ) : (
                  <IconAlertTriangle size={18} aria-label={t('rules.warning')} role="img" />
                )}
                <span>
                  <span className="finding-place">
                    {t('rules.place', { line: one.line, column: one.column })}
                    {one.policy && <code className="rule-name">{one.policy}</code>}
                  </span>
                  <span className="finding-text">{sentence(one.message)}</span>
                  {one.help && <span className="finding-help">{sentence(one.help)}</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <Verdict checked={props.checked} empty={props.empty} />
    </div>
  );
}

function Verdict({ checked: { check, current, error }, empty }: { checked: Checked; empty: boolean }) {
  if (error) return null;
  if (!check || !current)
    return (
      <span className="state" data-tone="quiet">
        <IconLoader2 size={16} className="spin" aria-hidden />
        {t('rules.checking')}
      </span>
    );
  const errors = check.findings.filter((one) => one.severity === 'error').length;
  if (errors > 0) return null;
  return (
    <span className="state" data-tone={empty ? 'quiet' : 'good'}>
      <IconCircleCheck size={16} aria-hidden />
      {empty ? t('rules.none') : tn('rules.sound', check.policies.length)}
    </span>
  );
}
