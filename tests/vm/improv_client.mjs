// An Improv client: npm's improv-wifi-serial-sdk on a serial port, for test_improv_sdk.py.
//
//     node tests/vm/improv_client.mjs PORT < steps.json
//
// A step is a list: a method of the SDK's class and its arguments, such as ["provision", "home", "secret"]. Prints a
// line of JSON for each: {"answer", "error", "state", "url"}. The SDK and esbuild, which makes a module of it that Node
// can load, are installed with npm into the cache folder (JOULELOG_CACHE, or ~/.cache/joulelog), once. Exit status 3: they
// cannot be had here.

import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ReadStream } from "node:tty";
import { pathToFileURL } from "node:url";

const SDK = "improv-wifi-serial-sdk";
const PACKAGES = [`${SDK}@2.8.1`, "esbuild@0.28.2"];
const CACHE = join(process.env.JOULELOG_CACHE || join(homedir(), ".cache/joulelog"), "improv-sdk", "2.8.1");
const BUNDLE = join(CACHE, "serial.mjs");
const ANSWER_MS = 60000; // of a busy machine

function unavailable(why) {
  console.error(`improv_client: npm cannot install ${PACKAGES.join(", ")}: ${why}`);
  process.exit(3);
}

// Two that install at once end with the same files: the bundle is there when it is whole.
function install() {
  if (existsSync(BUNDLE)) return;
  mkdirSync(CACHE, { recursive: true });
  const options = ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix", CACHE, ...PACKAGES];
  const done = spawnSync("npm", options, { encoding: "utf8" });
  if (done.status !== 0) unavailable(done.stderr || done.error);
  const whole = `${BUNDLE}.${process.pid}.mjs`;
  const source = join(CACHE, "node_modules", SDK, "dist/serial.js");
  const bundled = spawnSync(
    join(CACHE, "node_modules/.bin/esbuild"),
    [source, "--bundle", "--format=esm", "--platform=node", `--outfile=${whole}`],
    { encoding: "utf8" },
  );
  if (bundled.status !== 0) unavailable(bundled.stderr || bundled.error);
  renameSync(whole, BUNDLE);
}

install();
const { ImprovSerial } = await import(pathToFileURL(BUNDLE).href);
const [path] = process.argv.slice(2);
const handle = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
const stream = new ReadStream(handle);
stream.setRawMode(true);
const port = {
  readable: Readable.toWeb(stream),
  writable: new WritableStream({ write: (data) => void writeSync(handle, data) }),
};
const quiet = () => {};
const sdk = new ImprovSerial(port, { log: quiet, debug: quiet, error: quiet });

for (const [method, ...rest] of JSON.parse(readFileSync(0, "utf8"))) {
  const said = { answer: null, error: null };
  try {
    said.answer = (await sdk[method](...rest, ANSWER_MS)) ?? null;
  } catch (error) {
    said.error = String(error);
  }
  console.log(JSON.stringify({ ...said, state: sdk.state ?? null, url: sdk.nextUrl ?? null }));
}
closeSync(handle);
process.exit(0);
