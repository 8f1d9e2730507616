// The quiet card around everything one sees before being signed in.
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Logo } from '../ui/bits';
import { LanguageSwitch } from './LanguageSwitch';

export function Gate(props: { title: string; wide?: boolean; children: ReactNode }) {
  useDocumentTitle(`${props.title} · Fractal`);
  return (
    <main className="gate">
      <div className="gate-card" data-wide={props.wide || undefined}>
        <div className="gate-brand">
          <Logo size={28} /> Fractal
        </div>
        {props.children}
      </div>
      <LanguageSwitch />
    </main>
  );
}
