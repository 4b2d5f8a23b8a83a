/*
 * Requests to the board. What it refuses is an answer too; NoAnswer where none comes in time, as
 * when a phone has left the board's Wi-Fi.
 *
 *     const api = new Api();
 *     api.csrf = (await api.post("/api/login", { password })).data.csrf;
 */

export class NoAnswer extends Error {}

export interface Answer {
  status: number;
  data: any; // JSON; the text of what is none
}

const TRIES = 5; // where the board has no connection to spare
const PATIENCE_MS = 20000; // a login takes seconds, a scan for networks too

export class Api {
  csrf = "";

  get(path: string, patienceMs = PATIENCE_MS): Promise<Answer> {
    return this.ask(path, {}, patienceMs);
  }

  post(path: string, body: object = {}): Promise<Answer> {
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": this.csrf };
    return this.ask(path, { method: "POST", headers, body: JSON.stringify(body) }, PATIENCE_MS);
  }

  private async ask(path: string, about: RequestInit, patienceMs: number): Promise<Answer> {
    for (let left = TRIES; ; left--) {
      const answer = await this.once(path, about, patienceMs);
      if (answer.status !== 503 || left < 2) return answer;
      await pause(1000);
    }
  }

  private async once(path: string, about: RequestInit, patienceMs: number): Promise<Answer> {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), patienceMs);
    try {
      const response = await fetch(path, { ...about, signal: control.signal, cache: "no-store" });
      const text = await response.text();
      const json = /json/.test(response.headers.get("Content-Type") ?? "");
      return { status: response.status, data: json ? JSON.parse(text) : text };
    } catch {
      throw new NoAnswer();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What is wrong, a line each; [] where all is well. */
export function problemsOf(answer: Answer): string[] {
  if (answer.status < 300) return [];
  return answer.data.problems ?? [answer.data.problem ?? `the board answered ${answer.status}`];
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
