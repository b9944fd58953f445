/** Results on stdout: text for people, or with `--json` one JSON object a line. Progress, remarks and warnings are for stderr. */
import type { Command } from 'commander';

export type Output = {
  /** One result: the object with `--json`, else the text. */
  result: (object: Record<string, unknown>, text: string) => void;
  /** Stands above results that are a table; nothing with `--json`. */
  heading: (text: string) => void;
  /** A remark for the person at the terminal. */
  say: (text: string) => void;
  json: boolean;
};

export function outputOf(command: Command): Output {
  return outputTo(command.optsWithGlobals<{ json?: boolean }>().json === true);
}

/** For results that are figures for a program as much as for a person: a table at a terminal, else JSON, asked for or not. */
export function figuresOf(command: Command): Output {
  const { json } = outputOf(command);
  return outputTo(json || !process.stdout.isTTY);
}

function outputTo(json: boolean): Output {
  const tell = (text: string) => void process.stdout.write(`${text}\n`);
  return {
    json,
    say: (text) => void process.stderr.write(`${text}\n`),
    heading: (text) => (json ? undefined : tell(text)),
    result: (object, text) => tell(json ? JSON.stringify(object) : text),
  };
}
