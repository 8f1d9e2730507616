// What was asked for, exactly: the call, and every field of its body. An approval binds to it.
import type { ProposalRequest } from '../api/types';
import { t } from '../strings';
import { Section } from '../ui/bits';
import { fieldsOf } from './fields';
import { Exact, Value } from './Value';
import { fieldWords } from './words';

export function Asked({ request }: { request: ProposalRequest }) {
  const fields = fieldsOf(request);
  return (
    <Section title={t('proposal.asked')}>
      <div className="proposal-asked">
        <div className="proposal-call">
          <span className="mono" data-method={request.method}>
            {request.method}
          </span>
          <code className="mono">
            <Exact text={request.address} />
          </code>
        </div>
        {fields.length > 0 && (
          <dl className="proposal-fields">
            {fields.map((field) => (
              <div key={field.name ?? ''} data-block={field.shape === 'block' || undefined}>
                <dt>{field.name === null ? t('proposal.body') : fieldWords(field.name)}</dt>
                <dd>
                  <Value {...field} code={request.operation === 'updatePolicy' && field.name === 'text'} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </Section>
  );
}
