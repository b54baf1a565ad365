import { execFile } from 'node:child_process';

/** What each program is for, said when it is missing. */
const NEEDED_FOR: Readonly<Record<string, string>> = {
  java: 'to run Apache Kafka (Debian: default-jre-headless, 17 or later)',
  mvn: "to fetch Apache Kafka's jars (Debian: maven)",
  kcat: 'to read events back independently (Debian: kcat)',
};

export interface RunOptions {
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end and gives its output. Says what is missing or what the program said. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { maxBuffer: 2 ** 28, cwd: options.cwd, timeout: options.timeoutMs ?? 0 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else if (error.code === 'ENOENT') reject(missingProgram(program));
        else
          reject(
            new Error(`${program} failed: ${error.message}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`),
          );
      },
    );
  });
}

export function missingProgram(program: string): Error {
  return new Error(`the Kafka tests need ${program} ${NEEDED_FOR[program] ?? ''}, and it is not installed`);
}
