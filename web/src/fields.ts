/*
 * A form out of the rows of a schema, for set-up and for settings:
 *
 *     const form = new Form(rows, entry, { uarts: [0, 2], pins: [4, 5], names: ["house"] });
 *     page.append(form.element);
 *     await save(form.value());         // what is left at its default is not in it
 *     const others = form.tell(["`host` is missing: ..."]);     // the ones that have no field here
 *
 * What nobody has touched goes back as it came: a stored secret as true, a value that no field can
 * show as it is. What cannot be read by its type goes as text; the board says what is wrong with it.
 */

import { button, make, prose } from "./dom";
import type { Entry, Row, Value } from "./schema";

/** What a field may offer to choose from. */
export interface Offers {
  uarts: number[];
  pins: number[];
  names: string[]; // of readers
}

/** Keys that most people look for, though a config may leave them out; others are folded. */
export const USUAL = [
  ...["bucket", "database", "device", "host", "meter", "name", "org", "pin", "pulses_per_kwh", "rows"],
  ...["registers", "source", "timezone", "topic", "uart", "user", "invert"],
];

interface Control {
  element: HTMLElement;
  input: HTMLElement; // what the label is for
  value(): Value | undefined; // undefined: the default
}

let numbers = 0;

export class Form {
  readonly element = make("div", { className: "fields" });
  private fields: Field[];
  private more = make("details", {}, make("summary", {}, "More"));

  /** usual: whether a row stands there at once; labels: key -> what people call it. */
  constructor(
    rows: Row[],
    given: Entry,
    offers: Offers,
    usual: (row: Row) => boolean = isUsual,
    labels: { [key: string]: string } = {},
  ) {
    this.fields = rows.map((row) => new Field(row, given[row.key], offers, labels[row.key]));
    for (const field of this.fields) {
      const place = usual(field.row) || field.row.key in given ? this.element : this.more;
      place.append(field.element);
    }
    if (this.more.childElementCount > 1) this.element.append(this.more);
  }

  field(key: string): Field | undefined {
    return this.fields.find((one) => one.row.key === key);
  }

  value(): Entry {
    const found: Entry = {};
    for (const field of this.fields) {
      const value = field.value();
      if (value !== undefined) found[field.row.key] = value;
    }
    return found;
  }

  /** Show each problem at its field, by the key in backticks it begins with; the others come back. */
  tell(problems: string[]): string[] {
    const others: string[] = [];
    const told = new Map<Field, string[]>();
    for (const text of problems) {
      const field = this.field(/^`(\w+)`/.exec(text)?.[1] ?? "");
      if (field) told.set(field, [...(told.get(field) ?? []), text]);
      else others.push(text);
    }
    for (const field of this.fields) {
      field.tell(told.get(field) ?? []);
      if (told.has(field) && this.more.contains(field.element)) this.more.open = true;
    }
    this.fields.find((field) => told.has(field))?.focus();
    return others;
  }
}

export class Field {
  readonly element: HTMLElement;
  private control: Control;
  private problem = make("div", { className: "problem" });
  private before: string;

  constructor(
    readonly row: Row,
    private given: Value | undefined,
    offers: Offers,
    label: string = named(row.key),
  ) {
    const id = "field" + ++numbers;
    const control = (this.control = controlOf(row, given, offers));
    const input = control.input;
    input.id = id;
    if (!input.getAttribute("name")) input.setAttribute("name", row.key);
    input.setAttribute("aria-describedby", `${id}-hint ${id}-problem`);
    if (row.required) input.setAttribute("aria-required", "true");
    this.problem.id = id + "-problem";
    const title = make("label", { htmlFor: id }, label, row.required && " *");
    const hint = make("small", { id: id + "-hint" }, ...prose(said(row)));
    this.element = make("div", { className: "field " + row.kind }, title, control.element, hint, this.problem);
    this.before = JSON.stringify(control.value());
  }

  value(): Value | undefined {
    const now = this.control.value();
    // Chosen for somebody who had no other choice: it is no default of the board's.
    if (JSON.stringify(now) === this.before && this.given !== undefined) return this.given;
    return now;
  }

  /** Put a text where a text is. */
  set(text: string): void {
    (this.control.input as HTMLInputElement).value = text;
  }

  tell(problems: string[]): void {
    this.problem.replaceChildren(...problems.map((text) => make("p", {}, ...prose(text))));
    this.control.input.setAttribute("aria-invalid", String(problems.length > 0));
  }

  focus(): void {
    this.control.input.focus();
  }
}

/** A key as a label: the stylesheet makes its first letter a capital. */
function named(key: string): string {
  return /^(ain|ca|crc|de|id|ntp|rx|tls|tx|uart|url)$/.test(key) ? key.toUpperCase() : key.replace(/_/g, " ");
}

function isUsual(row: Row): boolean {
  return row.required || row.kind === "secret" || USUAL.includes(row.key);
}

/** The help in the words of a form, where null, "" and [] are a field that is left empty. */
function said(row: Row): string {
  const nothing = row.kind === "choice" || row.kind === "bool" ? "default" : "left empty";
  return row.help.replace(/\bnull(?=:)|""(?=:| for)|\[\](?=:)|\bleft out(?=:)/g, nothing);
}

function controlOf(row: Row, given: Value | undefined, offers: Offers): Control {
  const { kind, limits } = row;
  if (kind === "choice") return choice(row, given, limits.split(" "));
  if (kind === "bool") return typeof row.initial === "boolean" ? check(row, given) : choice(row, given, ["true", "false"]);
  if ((kind === "uart" || kind === "bus") && offers.uarts.length) return choice(row, given, offers.uarts.map(String));
  if (kind === "pin" && offers.pins.length) return choice(row, given, offers.pins.map(String));
  if (kind === "secret") return secret(row, given);
  if (kind === "list") return lines(row, given);
  if (kind === "dict") return pairs(given);
  return line(row, given, kind === "source" ? offers.names : []);
}

/** What stands in a field for a value. */
function text(value: Value | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function wholeNumber(word: string): Value {
  const number = Number(word);
  return /^-?\d+$/.test(word) && Number.isSafeInteger(number) ? number : word;
}

function choice(row: Row, given: Value | undefined, words: string[]): Control {
  const chosen = text(given);
  const initial = text(row.initial);
  const input = make("select");
  const alone = row.required && words.length === 1 && given === undefined;
  if (!alone) {
    const none = row.required ? "choose" : initial ? `${shown(row, initial)} (default)` : "default";
    input.append(make("option", { value: "" }, none));
  }
  // One that this board has not: the board says so.
  const all = chosen && !words.includes(chosen) ? [...words, chosen] : words;
  for (const word of all) {
    if (word !== initial || word === chosen) input.append(make("option", { value: word }, shown(row, word)));
  }
  input.value = alone ? words[0]! : chosen;
  return {
    element: input,
    input,
    value: () => {
      if (!input.value) return undefined;
      return row.kind === "bool" ? input.value === "true" : wholeNumber(input.value);
    },
  };
}

function shown(row: Row, word: string): string {
  if (row.kind === "bool") return word === "true" ? "yes" : "no";
  if (row.kind === "uart" || row.kind === "bus") return "UART " + word;
  return row.kind === "pin" ? "GPIO " + word : word;
}

function check(row: Row, given: Value | undefined): Control {
  const input = make("input", { type: "checkbox", checked: (given ?? row.initial) === true });
  return { element: input, input, value: () => (input.checked === row.initial ? undefined : input.checked) };
}

function secret(row: Row, given: Value | undefined): Control {
  let stored = given === true;
  const input = make("input", { type: "password", autocomplete: "new-password" });
  const show = button("Show", () => {
    input.type = input.type === "password" ? "text" : "password";
    show.textContent = input.type === "password" ? "Show" : "Hide";
  });
  const element = make("div", { className: "line" }, plain(input), show);
  if (stored) {
    input.placeholder = "stored; is kept";
    if (!row.required) {
      const remove = button("Remove", () => {
        stored = false;
        input.placeholder = "";
        remove.remove();
        input.focus();
      });
      element.append(remove);
    }
  }
  return { element, input, value: () => input.value || (stored ? true : undefined) };
}

/** Nothing of a phone's that changes what is typed. */
function plain<T extends HTMLInputElement | HTMLTextAreaElement>(input: T): T {
  input.spellcheck = false;
  input.setAttribute("autocapitalize", "none");
  input.setAttribute("autocorrect", "off");
  return input;
}

function line(row: Row, given: Value | undefined, names: string[]): Control {
  const { kind } = row;
  // A certificate has lines.
  const input = /\bPEM\b/.test(row.help)
    ? plain(make("textarea", { rows: 2 }))
    : plain(make("input", { type: "text", autocomplete: "off" }));
  input.value = text(given);
  input.placeholder = text(row.initial);
  if (kind === "int" && !row.limits.startsWith("-")) input.inputMode = "numeric";
  if (kind === "url") input.inputMode = "url";
  const element = make("div", {}, input);
  if (names.length) {
    const list = make("datalist", { id: "list" + ++numbers }, ...names.map((value) => make("option", { value })));
    input.setAttribute("list", list.id);
    element.append(list);
  }
  const number = kind === "int" || kind === "pin" || kind === "uart" || kind === "bus";
  return {
    element,
    input,
    value: () => {
      if (!input.value) return undefined;
      return number ? wholeNumber(input.value.trim()) : input.value;
    },
  };
}

/** A list: a line for each; an empty one may mean something, as a field that log.php leaves out. */
function lines(row: Row, given: Value | undefined): Control {
  const known = given ?? row.initial;
  const first = Array.isArray(known) ? known.join("\n") : text(known);
  const input = plain(make("textarea", { value: first, rows: 3, placeholder: "one per line" }));
  if (row.limits === "row") input.className = "table";
  const empty: Value | undefined = Array.isArray(row.initial) && row.initial.length ? [] : undefined;
  const read = (): Value | undefined => {
    if (!input.value.trim()) return empty;
    return input.value.replace(/\n+$/, "").split("\n");
  };
  const unset = JSON.stringify(row.initial);
  return { element: input, input, value: () => (JSON.stringify(read()) === unset ? undefined : read()) };
}

/** A dict: a key and a text each. */
function pairs(given: Value | undefined): Control {
  const element = make("div", { className: "pairs" });
  const add = button("Add", () => pair("", "").focus());
  const pair = (key: string, value: string): HTMLInputElement => {
    const left = plain(make("input", { value: key, ariaLabel: "key" }));
    const right = plain(make("input", { value: value, ariaLabel: "value" }));
    const remove = button("Remove", () => (at.remove(), add.focus()));
    const at = make("div", { className: "line" }, left, right, remove);
    element.insertBefore(at, add);
    return left;
  };
  element.append(add);
  const known = typeof given === "object" && given && !Array.isArray(given) ? given : {};
  for (const key of Object.keys(known)) pair(key, text(known[key]));
  return {
    element,
    input: add,
    value: () => {
      const found: Entry = {};
      for (const at of element.querySelectorAll(".line")) {
        const [left, right] = at.querySelectorAll("input");
        if (left!.value) found[left!.value] = right!.value;
      }
      return Object.keys(found).length ? found : undefined;
    },
  };
}
