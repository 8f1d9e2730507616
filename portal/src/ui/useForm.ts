// A form: values, the server's word on each field, and one submission at a time (double clicks are safe).
import { useCallback, useRef, useState } from 'react';
import { asProblem, Proposed } from '../api/problem';

/** What became of a submission: done, waiting for approval (a dialog closes, but nothing was saved), or gone wrong. */
export type Submitted = 'done' | 'waits' | false;

export function useForm<T extends object>(initial: T) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [own, setOwn] = useState<Partial<Record<string, string>>>({});
  const running = useRef(false);

  const set = useCallback(<K extends keyof T>(name: K, value: T[K]) => {
    setValues((before) => ({ ...before, [name]: value }));
    setOwn((before) => ({ ...before, [name]: undefined }));
  }, []);

  const fields = error ? asProblem(error).fields : {};

  /** Props of a text input. */
  const text = <K extends keyof T & string>(name: K, prefix = '') => ({
    name,
    value: values[name] as string,
    onChange: (event: { currentTarget: { value: string } }) => set(name, event.currentTarget.value as T[K]),
    error: own[name] ?? fields[prefix + name],
  });

  /** Runs the work unless it is running already; gives back how it went. */
  const submit = async (work: () => Promise<unknown>): Promise<Submitted> => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await work();
      return 'done';
    } catch (caught) {
      if (caught instanceof Proposed) return 'waits';
      setError(caught);
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };

  /** Shows a rule of our own beside a field; true when there is one. */
  const refuse = (rules: Partial<Record<keyof T & string, string | false>>): boolean => {
    const broken = Object.fromEntries(Object.entries(rules).filter(([, message]) => message));
    setOwn(broken as Partial<Record<string, string>>);
    return Object.keys(broken).length > 0;
  };

  return {
    values,
    setValues,
    set,
    text,
    busy,
    error,
    setError,
    fields,
    submit,
    refuse,
    shown: Object.keys(initial),
  };
}

/** Empty text means: not given. */
export function given(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed === '' ? undefined : trimmed;
}

export function lines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter(Boolean);
}
