// node mutate.mjs [MODULE…]
// Takes every `assert!` and every call of a `check_…` function out of the sources in turn, or of the modules named, and expects a unit test to fail: a
// check that no test misses is a check that nobody would miss. A few seconds each. Prints what survived and fails if anything did.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { frameworkFetcher, packageFiles } from "./scripts/package.mjs";
import { writeFramework } from "./scripts/framework.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const modules = process.argv.slice(2);
const builder = await import("@zktx.io/sui-move-builder/full");
await builder.initMovePackageBuilder();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "k3s-daas-mutants-"));
writeFramework(path.join(HERE, "node_modules", "@typemove", "sui", "src", "abis"), scratch);

const survivors = [];
let mutants = 0;
const original = packageFiles(HERE);
for (const [file, source] of Object.entries(original)) {
  const module = /^sources\/(\w+)\.move$/.exec(file)?.[1];
  if (!module || (modules.length && !modules.includes(module))) continue;
  for (const { start, end, text, instead } of [...assertions(source), ...checks(source)]) {
    mutants += 1;
    const changed = source.slice(0, start) + instead + source.slice(end);
    const files = { ...original, [file]: changed };
    const result = await builder.testMovePackage({ files, fetcher: frameworkFetcher(scratch), network: "mainnet", silenceWarnings: true });
    const where = `${module}:${source.slice(0, start).split("\n").length}`;
    if (result.error) throw new Error(`${where}: the mutant does not compile: ${result.error}`);
    console.log(`${result.passed ? "SURVIVED" : "killed  "} ${where} ${text.replace(/\s+/g, " ")}`);
    if (result.passed) survivors.push(where);
  }
}
fs.rmSync(scratch, { recursive: true, force: true });
console.log(`${mutants - survivors.length} of ${mutants} mutants killed`);
process.exit(survivors.length ? 1 : 0);

/// Where each `assert!(condition, EName)` stands, with the semicolon after it if there is one, and its condition.
function assertions(source) {
  const found = [];
  for (const match of source.matchAll(/\bassert!\(/g)) {
    let depth = 1;
    let at = match.index + match[0].length;
    const first = at;
    let comma = -1;
    for (; depth > 0; at += 1) {
      if ("([{".includes(source[at])) depth += 1;
      else if (")]}".includes(source[at])) depth -= 1;
      else if (source[at] === "," && depth === 1 && !/^\s*\)/.test(source.slice(at + 1))) comma = at;
    }
    const end = source[at] === ";" ? at + 1 : at;
    const text = source.slice(first, comma).trim();
    // The condition is still evaluated, so that nothing becomes unused.
    found.push({ start: match.index, end, text, instead: `let _ = ${text};` });
  }
  return found;
}

/// Where a `check_…` function is called as a statement of its own.
function checks(source) {
  const calls = source.matchAll(/(?<=^ {4,})(?:\w+::)?check_\w+\([^;{}]*?\)(?:;|(?=\n\}))/gm);
  return [...calls].map((match) => ({ start: match.index, end: match.index + match[0].length, text: match[0], instead: "" }));
}
