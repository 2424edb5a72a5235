import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';

const CHANGED = 'aicall:route';

export type Route = { page: 'calls'; id: string | null } | { page: 'talk' } | { page: 'new' };

export function parsePath(path: string): Route {
  if (path === '/talk') return { page: 'talk' };
  if (path === '/new') return { page: 'new' };
  const id = /^\/calls\/([^/]+)$/.exec(path)?.[1];
  return { page: 'calls', id: id ? decodeURIComponent(id) : null };
}

export function navigate(path: string): void {
  if (path === location.pathname) return;
  history.pushState(null, '', path);
  dispatchEvent(new Event(CHANGED));
}

function subscribe(changed: () => void) {
  addEventListener('popstate', changed);
  addEventListener(CHANGED, changed);
  return () => {
    removeEventListener('popstate', changed);
    removeEventListener(CHANGED, changed);
  };
}

export const usePath = () => useSyncExternalStore(subscribe, () => location.pathname);

export function Link({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const go = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={go} {...rest} />;
}
