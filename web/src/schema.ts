/*
 * The keys that a config may have, out of the SCHEMA texts that the board serves as they are:
 * a line `key | type | default | help` each, behind lines [section] or [section type]. The table
 * of types is in firmware/joulelog/config/schema.py.
 *
 *     const schema = new Schema(await (await fetch("/api/schema")).text());
 *     schema.types("sinks");            // ["console", "mqtt", ...]: those of this image
 *     schema.rows("sinks", "mqtt");     // its own rows, then those that all sinks have
 */

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Entry = { [key: string]: Value };

export interface Row {
  key: string;
  kind: string; // the first word of the type
  limits: string; // what stands behind it
  required: boolean;
  initial: Value; // what counts where it is left out
  help: string;
}

export class Schema {
  private tables = new Map<string, Row[]>();

  constructor(text: string) {
    let rows: Row[] = [];
    for (const line of text.split("\n")) {
      const title = /^\[(.+)\]$/.exec(line.trim());
      if (title) {
        rows = [];
        this.tables.set(title[1]!, rows);
      } else if (line.trim() && line.trim()[0] !== "#") {
        rows.push(row(line));
      }
    }
  }

  /** The types of a section's entries. */
  types(section: string): string[] {
    const start = section + " ";
    return [...this.tables.keys()].filter((k) => k.startsWith(start)).map((k) => k.slice(start.length));
  }

  /** The sections that are no list of entries. */
  sections(): string[] {
    return [...this.tables.keys()].filter((k) => !k.includes(" ") && !this.types(k).length);
  }

  /** The rows of a section, or of an entry of this type; the first that has a key decides. */
  rows(section: string, type = ""): Row[] {
    const found: Row[] = [];
    const tables = type ? [section + " " + type, section] : [section];
    for (const name of tables) {
      for (const one of this.tables.get(name) ?? []) {
        const known = found.some((other) => other.key === one.key);
        if (!known && !(type && one.key === "type")) found.push(one);
      }
    }
    return found;
  }
}

function row(line: string): Row {
  const parts = line.split("|");
  const [key = "", type = "", initial = ""] = parts.map((part) => part.trim());
  const required = initial === "required";
  const space = type.indexOf(" ");
  return {
    key,
    kind: space < 0 ? type : type.slice(0, space),
    limits: space < 0 ? "" : type.slice(space + 1),
    required,
    initial: required ? null : (JSON.parse(initial) as Value),
    help: parts.slice(3).join("|").trim(),
  };
}
