// node build.mjs [--check] [--no-test] [--with-sui]
//   (nothing)    builds the package, writes bytecode/package.json, aborts.json, FRAMEWORK.md, golden.json and tests/vectors.move, and runs the tests
//   --check      the same, but writes nothing and fails when a committed file differs
//   --no-test    leaves the unit tests out
//   --with-sui   also builds with the `sui` program, where there is one, and fails unless the modules are byte-identical
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readAborts, untestedAborts } from "./scripts/aborts.mjs";
import { readModule } from "./scripts/bytecode.mjs";
import { frameworkFetcher, moveFiles, packageFiles } from "./scripts/package.mjs";
import { writeFramework } from "./scripts/framework.mjs";
import { golden } from "./scripts/golden.mjs";
import { vectorsModule } from "./scripts/vectors.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ABIS = path.join(HERE, "node_modules", "@typemove", "sui", "src", "abis");
const FLAGS = ["--check", "--no-test", "--with-sui"];

let scratch = "";
const flags = process.argv.slice(2);
const unknown = flags.find((flag) => !FLAGS.includes(flag));
if (unknown) stop(`unknown option ${unknown}: use ${FLAGS.join(", ")}`, 2);
if (!fs.existsSync(ABIS)) stop("the Move compiler is not installed: run `npm ci` in move/ first");

scratch = fs.mkdtempSync(path.join(os.tmpdir(), "k3s-daas-move-"));
try {
  await main();
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}

async function main() {
  const builder = await import("@zktx.io/sui-move-builder/full");
  await builder.initMovePackageBuilder();
  writeFramework(ABIS, scratch);
  const input = { files: packageFiles(HERE), fetcher: frameworkFetcher(scratch), network: "mainnet" };

  const built = await compile(builder, input);
  for (const { name, bytes } of built.modules) console.log(`${name.padEnd(14)} ${String(bytes.length).padStart(6)} bytes`);
  console.log(`digest         ${built.digest}`);

  const aborts = readAborts(Object.values(input.files));
  const untested = untestedAborts(aborts, Object.values(moveFiles(HERE, "tests")));
  if (untested.length) stop(`no test expects ${untested.join(", ")}`);
  const differing = [
    ["bytecode/package.json", packageJson(built)],
    ["aborts.json", toJson(aborts)],
    ["FRAMEWORK.md", frameworkPage(built.modules)],
    ["golden.json", toJson(Object.fromEntries(Object.entries(golden()).map(([type, value]) => [type, value.toString("hex")])))],
    ["tests/vectors.move", vectorsModule()],
  ].filter(([file, content]) => !settle(file, content));
  if (differing.length) {
    stop(`${differing.map(([file]) => `move/${file}`).join(", ")} differ from a fresh build: run \`node move/build.mjs\` and commit`);
  }
  if (!flags.includes("--no-test")) await runTests(builder, { ...input, files: packageFiles(HERE) });
  if (flags.includes("--with-sui")) compareWithSui(built);
}

async function compile(builder, input) {
  const started = Date.now();
  const output = await builder.dumpMovePackage({ ...input, files: withoutTests(input.files) });
  if (output.error) stop(output.error);
  if (output.warnings) stop(`${output.warnings}\nthe package must build without warnings`);
  console.log(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const modules = output.modules.map((base64) => {
    const bytes = Buffer.from(base64, "base64");
    return { ...readModule(bytes), bytes };
  });
  return { modules, digest: Buffer.from(output.digest).toString("hex"), dependencies: output.dependencies.map(shortId) };
}

async function runTests(builder, input) {
  const started = Date.now();
  const tested = await builder.testMovePackage(input);
  console.log((tested.output ?? tested.error).trimEnd());
  if (!tested.passed) stop("unit tests failed");
  console.log(`tested in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function compareWithSui(built) {
  if (spawnSync("sui", ["--version"]).error) {
    console.log("not compared with `sui move build`: there is no `sui` program on the PATH");
    return;
  }
  const folder = path.join(scratch, "package");
  for (const [file, content] of Object.entries(withoutTests(packageFiles(HERE)))) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), content);
  }
  const arguments_ = ["move", "build", "--path", folder, "--dump-bytecode-as-base64", "--build-env", "mainnet"];
  const dumped = JSON.parse(execFileSync("sui", arguments_, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
  const theirs = new Map(dumped.modules.map((m) => [readModule(Buffer.from(m, "base64")).name, m]));
  const wrong = built.modules.filter(({ name, bytes }) => theirs.get(name) !== bytes.toString("base64"));
  if (wrong.length || theirs.size !== built.modules.length) {
    stop(`\`sui move build\` made other modules: ${wrong.map((m) => m.name).join(", ") || "another number of them"}`);
  }
  if (Buffer.from(dumped.digest).toString("hex") !== built.digest) stop("`sui move build` made another digest");
  console.log("`sui move build` makes the same bytes");
}

function withoutTests(files) {
  return Object.fromEntries(Object.entries(files).filter(([file]) => !file.startsWith("tests/")));
}

function packageJson({ modules, digest, dependencies }) {
  const encoded = modules.map(({ name, bytes }) => ({ name, bytes: bytes.toString("base64") }));
  return toJson({ package: "k3s_daas", digest, dependencies, modules: encoded });
}

function frameworkPage(modules) {
  const users = new Map();
  for (const { name, calls } of modules) {
    for (const call of calls.filter((c) => BigInt(`0x${c.address}`) !== 0n)) {
      const key = `${shortId(call.address)}::${call.module}::${call.function}`;
      users.set(key, [...(users.get(key) ?? []), name]);
    }
  }
  const rows = [...users].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, names]) => `| \`${key}\` | ${names.join(", ")} |`);
  return [
    "# Framework functions that the package calls",
    "",
    `Written by \`build.mjs\` from the imports of the compiled modules: ${rows.length} functions. Vector primitives are instructions, not calls.`,
    "A transaction that registers an instance also calls `0x2::nitro_attestation::load_nitro_attestation` itself.",
    "",
    "| function | called by |",
    "| --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/// Writes the file, or with --check says whether it is the same.
function settle(file, content) {
  const target = path.join(HERE, file);
  if (flags.includes("--check")) return fs.existsSync(target) && fs.readFileSync(target, "utf8") === content;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
  return true;
}

function toJson(value) {
  return JSON.stringify(value, null, 2) + "\n";
}

function shortId(id) {
  return "0x" + BigInt(id.startsWith("0x") ? id : `0x${id}`).toString(16);
}

function stop(message, status = 1) {
  console.error(message);
  if (scratch) fs.rmSync(scratch, { recursive: true, force: true });
  process.exit(status);
}
