import { useEffect, useState } from 'react';
import { api } from '../api/client';
import type { Flow, Language } from '../api/types';
import type { I18n } from '../i18n';

/** The flows, and which of them and which language is chosen; the language is always one that the flow speaks. */
export function useFlows(first: Language) {
  const [flows, setFlows] = useState<Flow[] | null>(null);
  const [id, setId] = useState('');
  const [wanted, setLanguage] = useState<Language>(first);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    api.flows().then(
      (list) => {
        setFlows(list);
        setId(list[0]?.id ?? '');
      },
      () => setFailed(true),
    );
  }, []);
  const flow = flows?.find((one) => one.id === id) ?? null;
  const language = !flow || flow.languages.includes(wanted) ? wanted : (flow.languages[0] ?? wanted);
  return { flows, failed, flow, setFlow: setId, language, setLanguage };
}

/** By the page's own name of it, else by its title. */
export function flowName(flow: Flow, named: I18n['named']): string {
  const plain = flow.id.replaceAll('_', ' ');
  const name = named('flow', flow.id);
  return name === plain ? flow.title || plain : name;
}
