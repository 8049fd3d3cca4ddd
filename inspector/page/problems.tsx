import { Component, type ReactNode, useEffect, useState } from 'react';
import { textOf } from './data.ts';

/** A message above the page that can be closed. */
export function Problem({ text, onClose }: { readonly text: string; readonly onClose?: () => void }) {
  return (
    <div className="problem" role="alert">
      <p>{text}</p>
      {onClose !== undefined && (
        <button type="button" aria-label="Dismiss" onClick={onClose}>
          ×
        </button>
      )}
    </div>
  );
}

/** The text of the last uncaught error, and a function that closes it. */
export function useUncaught(): readonly [string | null, () => void] {
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    const thrown = ({ error, message }: ErrorEvent) => setText(textOf(error ?? message));
    const rejected = ({ reason }: PromiseRejectionEvent) => setText(textOf(reason));
    window.addEventListener('error', thrown);
    window.addEventListener('unhandledrejection', rejected);
    return () => {
      window.removeEventListener('error', thrown);
      window.removeEventListener('unhandledrejection', rejected);
    };
  }, []);
  return [text, () => setText(null)];
}

interface GuardState {
  readonly problem: string | null;
}

/** Shows the error of a view that cannot be drawn instead of a blank page. */
export class ViewGuard extends Component<{ readonly children: ReactNode }, GuardState> {
  override readonly state: GuardState = { problem: null };

  static getDerivedStateFromError(error: unknown): GuardState {
    return { problem: textOf(error) };
  }

  override render(): ReactNode {
    const { problem } = this.state;
    if (problem === null) return this.props.children;
    return (
      <div className="waiting">
        <div role="alert">
          <p>This view cannot be drawn: {problem}</p>
          <button type="button" onClick={() => this.setState({ problem: null })}>
            Try again
          </button>
        </div>
      </div>
    );
  }
}
