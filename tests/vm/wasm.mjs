// Run lib/'s unit tests on npm's official MicroPython builds: the oldest version that we support
// and the newest. Both are 32-bit, as the chips are.
//
//     node tests/vm/wasm.mjs [-v] [--oldest|--newest] [tests/unit/test_crc.py ...]
//
// Without files: every test in tests/unit that needs nothing of firmware/ or of a computer. The packages are
// installed with npm into the cache folder (JOULELOG_CACHE, or ~/.cache/joulelog), once.
// The last line counts over the builds. Exit status 3: npm or the packages cannot be had here.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const VERSIONS = { "--oldest": "1.24.0", "--newest": "1.29.0-6" };
const PACKAGE = "@micropython/micropython-webassembly-pyscript";
const COUNTS = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;
const HEAP_BYTES = 2 * 1024 * 1024;
const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const CACHE = join(process.env.JOULELOG_CACHE || join(homedir(), ".cache/joulelog"), "wasm");

function install(version) {
  const folder = join(CACHE, version);
  const entry = join(folder, "node_modules", PACKAGE, "micropython.mjs");
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true });
    const options = ["install", "--silent", "--prefix", folder, `${PACKAGE}@${version}`];
    const done = spawnSync("npm", options, { encoding: "utf8" });
    if (done.status !== 0) {
      console.error(`wasm: npm cannot install ${PACKAGE}@${version}:`, done.stderr || done.error);
      process.exit(3);
    }
  }
  return pathToFileURL(entry).href;
}

// Put a folder of the repository into the build's file system, at the same place under /repo.
function copy(fs, folder) {
  const target = "/repo/" + relative(ROOT, folder);
  fs.mkdirTree(target);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) {
      if (name !== "__pycache__") copy(fs, path);
    } else {
      fs.writeFile(`${target}/${name}`, readFileSync(path));
    }
  }
}

function libraryTests() {
  const folder = join(ROOT, "tests/unit");
  const names = readdirSync(folder).filter((name) => /^test_.*\.py$/.test(name)).sort();
  const needsFirmware = /^\s*(from|import) (joulelog|machine|network|asyncio|socket|config_file)\b|\/firmware\//m;
  return names
    .map((name) => join(folder, name))
    .filter((path) => !needsFirmware.test(readFileSync(path, "utf8")));
}

// A build that is out of memory would say so for ever. It keeps the console's function that it
// finds when it is loaded.
const say = console.error;
console.error = (...words) => {
  say(...words);
  if (String(words[0]).startsWith("Cannot enlarge memory")) process.exit(1);
};

async function run(version, options, files) {
  const { loadMicroPython } = await import(install(version));
  let last = "";
  const stdout = (line) => {
    last = line;
    console.log(line);
  };
  console.log(`MicroPython ${version} (wasm), ${files.length} files`);
  const vm = await loadMicroPython({ heapsize: HEAP_BYTES, stdout, linebuffer: true });
  for (const folder of ["lib", "tests/unit", "tests/fixtures", "tests/vm"]) {
    copy(vm.FS, join(ROOT, folder));
  }
  const names = files.map((file) => "/repo/" + relative(ROOT, resolve(file)));
  const list = JSON.stringify([...options, ...names]);
  vm.runPython(`
import os, sys
os.chdir("/repo")  # tests name their fixtures from the repository's root
sys.path[:] = ["/repo/lib", "/repo/tests/vm", ".frozen"]
import runner
run = runner.steps(${list})
`);
  // One test a call: these builds collect garbage only while no Python code is running.
  while (!last.match(COUNTS)) vm.runPython("next(run)");
  return last.match(COUNTS).slice(1).map(Number);
}

const given = process.argv.slice(2);
const options = given.filter((word) => word === "-v");
const builds = given.filter((word) => word in VERSIONS);
const chosen = given.filter((word) => word !== "-v" && !(word in VERSIONS));
const files = chosen.length ? chosen : libraryTests();
const total = [0, 0, 0];
for (const build of builds.length ? builds : Object.keys(VERSIONS)) {
  const counts = await run(VERSIONS[build], options, files);
  counts.forEach((count, index) => (total[index] += count));
}
console.log(`${total[0]} passed, ${total[1]} failed, ${total[2]} skipped`);
process.exit(total[1] || !(total[0] + total[2]) ? 1 : 0);
