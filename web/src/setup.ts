/*
 * Set-up, from nothing to a board that measures: Wi-Fi, meters, destinations, start.
 *
 * The view is what stands behind # in the address, so that a phone's "back" goes back:
 *
 *     #             what is set            #readers/0        a meter
 *     #wifi         a network              #readers/+dsmr    a new one; sinks in the same way
 *     #clock        another section
 */

import { Api, NoAnswer, pause, problemsOf } from "./api";
import { button, make, prose } from "./dom";
import { Form, type Offers } from "./fields";
import { Schema, type Entry } from "./schema";

interface State {
  board: string;
  version: string;
  guest: boolean; // on the board's own Wi-Fi
  only_wifi: boolean;
  safe: string; // why the board is in safe mode
  point: string;
  ssid: string;
  trying: boolean;
  address: string;
  problem: string;
  usable: boolean;
  uarts: number[];
  pins: number[];
  schema?: string; // where only the Wi-Fi may be set: its own
}

const LISTS: { [section: string]: string[] } = {
  readers: ["Meters", "meter", "Meter"],
  sinks: ["Destinations", "destination", "Destination"],
};
const SECTIONS: { [section: string]: string } = { top: "Name", clock: "Time", log: "Log", queue: "Backlog" };
// What people call the types; those that are not here go by their own names.
const TYPES: { [type: string]: string } = {
  dsmr: "P1 port of a smart meter",
  pzem: "PZEM",
  modbus: "Modbus",
  http_json: "in the network: Shelly, Tasmota …",
  fritz: "FRITZ!DECT",
  tuya: "Tuya",
  pulse: "Pulses: LED, S0, water, gas",
  altherma: "Daikin Altherma",
  heat: "Heat of a heat pump",
  health: "The board itself",
  console: "Serial line",
  emoncms: "EmonCMS",
  mqtt: "MQTT",
  influxdb: "InfluxDB",
  webhook: "Web address, log.php",
};
const POLL_MS = 1500;
const PATIENCE_MS = 5000;

const api = new Api();
const main = document.getElementById("main")!;
let state: State;
let schema = new Schema("");
let config: Entry = {};
let changed: string[] = [];

// What all views have

function show(title: string, ...children: (Node | string | false)[]): void {
  const heading = make("h2", { tabIndex: -1 }, title);
  main.replaceChildren(heading, ...children.filter((one): one is Node | string => !!one));
  heading.focus();
  scrollTo(0, 0);
}

function text(words: string, className = ""): HTMLElement {
  return make("p", { className }, ...prose(words));
}

function go(view: string): void {
  if (location.hash === "#" + view) void route();
  else location.hash = view;
}

function typeName(type: string): string {
  return TYPES[type] ?? type;
}

const back = (): HTMLElement => button("Back", () => go(""), "quiet");

/** A form of the page: what its button does, and what came of it. */
function sheet(press: string, send: () => Promise<string[]>, ...inside: (Node | false)[]): HTMLFormElement {
  const problems = make("div", { className: "problem" });
  problems.setAttribute("role", "alert");
  const submit = make("button", {}, press);
  const form = make("form", { noValidate: true }, problems, ...inside, make("div", { className: "line" }, submit));
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const found = await attempt(send);
    submit.disabled = false;
    problems.replaceChildren(...found.map((one) => text(one)));
    if (found.length) problems.scrollIntoView({ block: "nearest" });
  };
  return form;
}

async function attempt(send: () => Promise<string[]>): Promise<string[]> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return [`the board does not answer: is this device still in the Wi-Fi ${state.point || state.ssid}?`];
  }
}

/** Send, and say what is wrong; where a session has ended the next view asks for the password. */
async function post(path: string, body: object = {}): Promise<string[]> {
  const answer = await api.post(path, body);
  if (answer.status === 401 && path !== "/api/login") {
    api.csrf = "";
    return [`${answer.data.problem}: reload this page`];
  }
  if (answer.data.csrf) api.csrf = answer.data.csrf;
  return problemsOf(answer);
}

// From the beginning to the view that is asked for

async function load(): Promise<void> {
  state = (await api.get("/api/state")).data;
  document.getElementById("board")!.textContent = `${state.board} ${state.version}`;
  if (!schema.rows("wifi").length) schema = new Schema(state.schema ?? (await api.get("/api/schema")).data);
  if (state.only_wifi) return;
  if (!state.guest && !api.csrf) api.csrf = (await api.get("/api/session")).data.csrf ?? "";
  const settings = (await api.get("/api/settings")).data;
  config = settings.config;
  changed = settings.changed;
}

async function route(): Promise<void> {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    show("No answer", text("The board does not answer. Is this device still in its Wi-Fi?"), button("Try again", route));
    return;
  }
  const view = location.hash.slice(1);
  const [section = "", which] = view.split("/");
  if (state.trying) return wait();
  if (state.only_wifi) return wifi();
  if (!state.guest && !api.csrf) return enter();
  if (view === "wifi") return wifi();
  if (LISTS[section] && which) return entry(section, which);
  if (schema.sections().includes(section)) return part(section);
  home();
}

// The password, for whoever comes from the LAN

async function enter(): Promise<void> {
  const there = (await api.get("/api/session")).data.password as boolean;
  const row = { key: "password", kind: "secret", limits: "8..64", required: true, initial: null };
  const help = there ? "the board's password" : "8 to 64 characters; it stands before all that changes the board";
  const form = new Form([{ ...row, help }], {}, offers());
  const path = there ? "/api/login" : "/api/password";
  const send = async (): Promise<string[]> => {
    const problems = await post(path, form.value());
    if (!problems.length) await route();
    return problems;
  };
  show(there ? "Log in" : "Choose a password", sheet(there ? "Log in" : "Set it", send, form.element));
}

// What is set

function home(): void {
  const online = !!state.address;
  show(
    state.safe ? "Safe mode" : "Set-up",
    state.safe && make("section", { className: "problem" },
      text("No meter is read: the last starts came to nothing. A normal one is tried by itself; what is set here may mend it."),
      ...state.safe.split("\n").map((line) => text(line)),
    ),
    make(
      "section",
      {},
      make("h3", {}, "1 Wi-Fi"),
      online
        ? make("p", {}, "In ", make("b", {}, state.ssid), " as ", make("b", {}, state.address))
        : text(state.ssid ? `Not in ${state.ssid}` : "Not set yet"),
      state.problem && text(state.problem, "problem"),
      button(online || state.ssid ? "Another Wi-Fi" : "Choose a Wi-Fi", () => go("wifi")),
    ),
    list("readers", "2"),
    list("sinks", "3"),
    more(),
    start(),
  );
}

/** The entries of a list; a simulated meter, which the shipped config has, is none on a board. */
function entries(section: string): Entry[] {
  const found = (config[section] ?? []) as Entry[];
  if (state.board === "HOST") return found;
  return found.filter((one) => ![one.uart, one.pin, one.host].includes("sim"));
}

function list(section: string, number: string): HTMLElement {
  const [title, word] = LISTS[section]!;
  const rows = entries(section).map((one, index) => {
    const about = [one.name, typeName(String(one.type)), one.host ?? one.url ?? one.uart];
    const name = about.filter((part) => part !== undefined && part !== null && part !== "").join(", ");
    const problem = make("div", { className: "problem" });
    const remove = button("Remove", async () => {
      const left = entries(section).filter((_, at) => at !== index);
      const problems = await attempt(() => post("/api/settings", { [section]: left }));
      if (problems.length) problem.replaceChildren(...problems.map((line) => text(line)));
      else await route();
    });
    const edit = button("Edit", () => go(`${section}/${index}`));
    edit.ariaLabel = "Edit " + name;
    remove.ariaLabel = "Remove " + name;
    return make("li", {}, make("span", {}, name), edit, remove, problem);
  });
  const select = make("select", { ariaLabel: `Type of ${word}` });
  select.append(make("option", { value: "" }, `a ${word} …`));
  for (const type of schema.types(section)) select.append(make("option", { value: type }, typeName(type)));
  const add = button("Add", () => (select.value ? go(`${section}/+${select.value}`) : select.focus()));
  return make(
    "section",
    { id: section },
    make("h3", {}, `${number} ${title}`),
    rows.length ? make("ul", {}, ...rows) : text("None yet"),
    make("div", { className: "line" }, select, add),
  );
}

function more(): HTMLElement {
  const names = schema.sections().filter((name) => name !== "wifi");
  const links = names.map((name) => make("li", {}, make("a", { href: "#" + name }, SECTIONS[name] ?? name)));
  return make("details", {}, make("summary", {}, "More: name, time, log …"), make("ul", {}, ...links));
}

function start(): HTMLElement {
  const send = async (): Promise<string[]> => {
    const problems = await post("/api/restart");
    if (!problems.length) started();
    return problems;
  };
  return make(
    "section",
    {},
    make("h3", {}, "4 Start"),
    !state.usable && text("A meter is missing, or something above is wrong: then the board comes back to set-up."),
    sheet("Start", send),
  );
}

function started(): void {
  show(
    "It starts",
    text(`The board leaves set-up and reads its meter${state.ssid ? `, in the Wi-Fi ${state.ssid}` : ""}.`),
    text("What it reads is at its destinations within a minute. You can close this page."),
  );
}

// An entry of a list, and other sections

function offers(): Offers {
  const names = entries("readers").map((one) => String(one.name ?? one.type));
  return { uarts: state.uarts, pins: state.pins, names };
}

/** Problems of a part as its form names them; those of others as they are. */
function ofPart(problems: string[], where: string): string[] {
  return problems.map((line) => {
    const colon = line.indexOf(": ");
    const label = line.slice(0, colon).replace(/ \(.*\)$/, "");
    return label === where ? line.slice(colon + 2) : line;
  });
}

async function save(body: Entry, form: Form, where: string): Promise<string[]> {
  const problems = ofPart(await post("/api/settings", body), where);
  const others = form.tell(problems);
  if (!problems.length) go("");
  return others;
}

function entry(section: string, which: string): void {
  const all = entries(section);
  const index = which[0] === "+" ? all.length : Number(which);
  const given: Entry = all[index] ?? {};
  const type = which[0] === "+" ? which.slice(1) : String(given.type ?? "");
  if (!schema.types(section).includes(type)) return go("");
  const form = new Form(schema.rows(section, type), given, offers());
  const send = (): Promise<string[]> => {
    const changed = [...all];
    changed[index] = { type, ...form.value() };
    return save({ [section]: changed }, form, `${section}[${index}]`);
  };
  show(`${LISTS[section]![2]}: ${typeName(type)}`, sheet("Save", send, form.element), back());
}

function part(section: string): void {
  const top = section === "top";
  const given = (top ? config : (config[section] ?? {})) as Entry;
  const form = new Form(schema.rows(section), given, offers(), () => true);
  const rows = schema.rows(section);
  const send = (): Promise<string[]> => {
    const value = form.value();
    if (!top) return save({ [section]: value }, form, section);
    // What is left empty is as config.py has it.
    const body: Entry = {};
    for (const { key } of rows) if (key in value || key in config) body[key] = value[key] ?? null;
    return save(body, form, "config");
  };
  const asBefore = async (): Promise<void> => {
    const problems = await attempt(() => post("/api/settings", { [section]: null }));
    if (problems.length) form.element.before(...problems.map((line) => text(line, "problem")));
    else go("");
  };
  const reset = changed.includes(section) && button("As it was before", asBefore, "quiet");
  show(SECTIONS[section] ?? section, sheet("Save", send, form.element), reset, back());
}

// Wi-Fi

/** before: what was tried, and did not work. */
async function wifi(before: Entry = {}): Promise<void> {
  const labels = { ssid: "name of the Wi-Fi", password: "password" };
  const form = new Form(schema.rows("wifi"), before, offers(), undefined, labels);
  const found = make("fieldset", {}, make("legend", {}, "Networks in reach"), text("Looking for networks…"));
  const send = async (): Promise<string[]> => {
    const value = form.value();
    const problems = ofPart(await post("/api/wifi", value), "wifi");
    const others = form.tell(problems);
    if (!problems.length) {
      state.ssid = String(value.ssid);
      delete value.password;
      await wait(value);
    }
    return others;
  };
  const page = sheet("Join", send, state.problem ? text(state.problem, "problem") : false, found, form.element);
  show("Wi-Fi", page, !state.only_wifi && back());
  await attempt(() => networks(form, found));
}

/** Offer the networks in reach, and another name. */
async function networks(form: Form, place: HTMLElement): Promise<string[]> {
  const found: [string, number, boolean][] = (await api.get("/api/networks")).data.networks;
  const ssid = form.field("ssid")!;
  const before = form.value().ssid;
  const password = form.field("password")!;
  const choose = (name: string | null, safe: boolean): void => {
    ssid.element.hidden = name !== null;
    password.element.hidden = !safe;
    ssid.set(name ?? "");
    password.set("");
    if (name === null) ssid.focus();
    else if (safe) password.focus();
  };
  const radio = (label: string, more: string, chosen: () => void): HTMLElement => {
    const input = make("input", { type: "radio", name: "network", onchange: chosen });
    input.checked = label === before;
    return make("label", { className: "network" }, input, make("span", {}, label), make("small", {}, more));
  };
  const rows = found.map(([name, dbm, safe]) =>
    radio(name, `${safe ? "" : "open, "}${dbm} dBm`, () => choose(name, safe)),
  );
  rows.push(radio("Another name …", "", () => choose(null, true)));
  place.replaceChildren(make("legend", {}, "Networks in reach"), ...rows);
  // Somebody may have typed a name meanwhile.
  if (!before || found.some(([name]) => name === before)) ssid.element.hidden = true;
  return [];
}

/** Until the board knows whether it can join; meanwhile a phone may drop off. */
async function wait(tried: Entry = {}): Promise<void> {
  const said = text("That takes up to half a minute.");
  show(`Joining ${state.ssid} …`, said);
  let misses = 0;
  for (;;) {
    await pause(POLL_MS);
    try {
      state = (await api.get("/api/state", PATIENCE_MS)).data;
      misses = 0;
    } catch {
      misses += 1;
      if (misses > 1) {
        said.textContent =
          `The board does not answer. It changes the channel for the new network, and this device may have dropped off:` +
          ` join its Wi-Fi ${state.point} again. This page goes on by itself then.`;
      }
      continue;
    }
    if (!state.trying) break;
  }
  if (!state.address || state.problem) {
    history.replaceState(null, "", "#wifi");
    await wifi(tried);
  } else joined();
}

function joined(): void {
  const address = `http://${state.address}/`;
  show(
    "In the Wi-Fi",
    make("p", {}, "The board is in ", make("b", {}, state.ssid), ", at ", make("a", { href: address }, address), "."),
    state.only_wifi
      ? text(`That is all there is to do here: you can leave ${state.point}.`)
      : button("Go on", () => go("")),
  );
}

addEventListener("hashchange", () => void route());
void route();
