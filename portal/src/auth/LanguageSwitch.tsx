// The other languages, for somebody who is not signed in and has no menu yet.
import { UnstyledButton } from '@mantine/core';
import { changeLocale } from '../app/language';
import { LOCALES, type Locale, locale, t } from '../strings';

export function LanguageSwitch() {
  return (
    <nav className="gate-languages" aria-label={t('language.title')}>
      {(Object.keys(LOCALES) as Locale[]).map((value) => (
        <UnstyledButton
          key={value}
          lang={value}
          aria-current={locale() === value}
          onClick={() => void changeLocale(value)}
        >
          {LOCALES[value]}
        </UnstyledButton>
      ))}
    </nav>
  );
}
