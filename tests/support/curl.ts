/** Runs the `curl` lines of a document with fetch, so that its examples are tried where no curl is installed. */

/** Fenced `sh` blocks of a Markdown text, each as its commands (a backslash at the end of a line goes on). */
export function shellCommands(markdown: string): string[] {
  return [...markdown.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) =>
    (block[1] ?? '')
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
}

/** Words of a shell command: bare, 'single' or "double" quoted; nothing else of a shell's is known. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
}

/** `curl [-s] [-X METHOD] [-H HEADER] [-d BODY] URL`, with `from` in the URL replaced by `to`, and `headers` besides. */
export async function runCurl(
  command: string,
  from: string,
  to: string,
  moreHeaders: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const [program, ...rest] = words(command);
  if (program !== 'curl') throw new Error(`not a curl command: ${command}`);
  let method: string | undefined;
  let body: string | undefined;
  let url: string | undefined;
  const headers: Record<string, string> = { ...moreHeaders };
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    if (word === '-X') method = rest.shift();
    else if (word === '-d') body = rest.shift();
    else if (word === '-H') {
      const [name = '', value = ''] = (rest.shift() ?? '').split(/:\s*/, 2);
      headers[name] = value;
    } else if (word === '-s') continue;
    else if (word.startsWith('-')) throw new Error(`this option of curl is not known here: ${word}`);
    else url = word.replace(from, to);
  }
  if (url === undefined) throw new Error(`no address in: ${command}`);
  return fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers:
      body === undefined ? headers : { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    ...(body === undefined ? {} : { body }),
  });
}
