import { useRef, useState, type FormEvent } from 'react';
import { api, ApiError } from '../api/client';
import type { FieldError, NewCall } from '../api/types';
import { useI18n } from '../i18n';
import { Choice } from '../ui/Choice';
import { navigate } from '../ui/router';
import { flowName, useFlows } from '../ui/useFlows';
import './pages.css';

interface FieldProps { name: string; label: string; value: string; onChange: (value: string) => void; errors: FieldError[]; hint?: string; required?: boolean }

function Field({ name, label, value, onChange, errors, hint, required = false }: FieldProps) {
  const wrong = errors.filter((error) => error.field === name);
  const about = [hint && `${name}-hint`, wrong.length > 0 && `${name}-error`].filter(Boolean).join(' ');
  return (
    <div className={`field${wrong.length ? ' wrong' : ''}`}>
      <label htmlFor={name}>{label}</label>
      <input id={name} name={name} value={value} onChange={(e) => onChange(e.currentTarget.value)} aria-invalid={wrong.length > 0} aria-describedby={about || undefined} aria-required={required} autoComplete="off" spellCheck={false} />
      {hint && <small id={`${name}-hint`}>{hint}</small>}
      {wrong.length > 0 && <p className="error" id={`${name}-error`} role="alert">{wrong.map((error) => error.reason).join('; ')}</p>}
    </div>
  );
}

/** The key belongs to one filled-in form: sending it again after a broken connection must not dial twice. */
function useKey() {
  const key = useRef({ body: '', key: '' });
  return (body: string) => {
    if (key.current.body !== body) key.current = { body, key: crypto.randomUUID() };
    return key.current.key;
  };
}

export default function NewCallPage() {
  const { t, language: shown, named } = useI18n();
  const { flows, failed, flow, setFlow, language, setLanguage } = useFlows(shown);
  const [to, setTo] = useState('');
  const [subject, setSubject] = useState('');
  const [variables, setVariables] = useState<Record<string, string>>({});
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [trouble, setTrouble] = useState('');
  const [sending, setSending] = useState(false);
  const keyFor = useKey();
  const names = flow?.variables ?? [];
  const placed = new Set(['to', 'subject_id', ...names.map((name) => `variables.${name}`)]);
  const elsewhere = errors.filter((error) => !placed.has(error.field));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTrouble('');
    if (!to.trim()) return setErrors([{ field: 'to', reason: t('new.required') }]);
    const filled = names.map((name) => [name, variables[name]?.trim() ?? ''] as const).filter(([, value]) => value);
    const call: NewCall = { to: to.trim(), language, ...(flow && { flow: flow.id }) };
    if (filled.length) call.variables = Object.fromEntries(filled);
    if (subject.trim()) call.subject_id = subject.trim();
    setSending(true);
    setErrors([]);
    api.create(call, keyFor(JSON.stringify(call))).then(
      (made) => navigate(`/calls/${made.id}`),
      (problem: unknown) => {
        setSending(false);
        if (!(problem instanceof ApiError)) throw problem;
        setErrors(problem.problem.errors ?? []);
        if (!problem.problem.errors?.length) setTrouble(problem.status === 0 ? t('error.unreachable') : problem.message);
      },
    );
  };
  return (
    <main className="page form" id="main">
      <h1>{t('new.title')}</h1>
      <p className="lead">{t('new.lead')}</p>
      <form onSubmit={submit} noValidate>
        {(trouble || elsewhere.length > 0) && (
          <div className="fault" role="alert">
            <b>{t('error.title')}</b>
            {trouble && <p>{trouble}</p>}
            {elsewhere.map((error) => <p key={error.field}><code>{error.field}</code> {error.reason}</p>)}
          </div>
        )}
        <Field name="to" label={t('new.to')} hint={t('new.to.hint')} value={to} onChange={setTo} errors={errors} required />
        {(failed || flows?.length === 0) && <p className="fault">{t(failed ? 'error.unreachable' : 'new.noflows')}</p>}
        <div className="two">
          <div className="field">
            <label htmlFor="flow">{t('new.flow')}</label>
            <select id="flow" value={flow?.id ?? ''} onChange={(e) => setFlow(e.currentTarget.value)}>
              {flows?.map((one) => <option key={one.id} value={one.id}>{flowName(one, named)}</option>)}
            </select>
          </div>
          <Choice label={t('new.language')} value={language} onChange={setLanguage}
            options={(flow?.languages ?? ['zh', 'en']).map((code) => [code, named('language', code)] as ['zh' | 'en', string])} />
        </div>
        {names.length > 0 && (
          <fieldset className="variables">
            <legend>{t('new.variables')}</legend>
            <small>{t('new.variables.hint')}</small>
            <div className="grid">
              {names.map((name) => (
                <Field key={name} name={`variables.${name}`} label={named('variable', name)} value={variables[name] ?? ''} onChange={(value) => setVariables({ ...variables, [name]: value })} errors={errors} />
              ))}
            </div>
          </fieldset>
        )}
        <Field name="subject_id" label={t('new.subject')} value={subject} onChange={setSubject} errors={errors} />
        <div className="actions"><button className="primary big" disabled={sending || !flow}>{t(sending ? 'new.sending' : 'new.submit')}</button></div>
      </form>
    </main>
  );
}
