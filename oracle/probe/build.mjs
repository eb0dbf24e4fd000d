// node build.mjs [--check]: compiles the stand-ins and writes modules.json (or fails when it differs). Uses the compiler of ../../move.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const MOVE = path.join(HERE, "..", "..", "move");
const TARGET = path.join(HERE, "modules.json");
const compiler = createRequire(path.join(MOVE, "package.json")).resolve("@zktx.io/sui-move-builder/full");
const { initMovePackageBuilder, dumpMovePackage } = await import(pathToFileURL(compiler));
const { readModule } = await import(pathToFileURL(path.join(MOVE, "scripts", "bytecode.mjs")));
const { writeFramework } = await import(pathToFileURL(path.join(MOVE, "scripts", "framework.mjs")));

const address = (hex) => Buffer.from(hex.padStart(64, "0"), "hex");
// Name in modules.json, address at which it is compiled, and the module's own name.
const SHIPPED = [
  ["event", "a0", "event"],
  ["transfer", "a0", "transfer"],
  ["derived_object", "a0", "derived_object"],
  ["nitro_attestation", "a0", "nitro_attestation"],
  ["ed25519_genuine", "a1", "ed25519"],
  ["ed25519_forged", "a2", "ed25519"],
];

const framework = fs.mkdtempSync(path.join(os.tmpdir(), "k3s-daas-probe-"));
try {
  writeFramework(path.join(MOVE, "node_modules", "@typemove", "sui", "src", "abis"), framework);
  await initMovePackageBuilder();
  const built = await dumpMovePackage({
    files: files(HERE),
    fetcher: {
      async fetch(_repository, _revision, folder) { return files(path.join(framework, path.basename(folder ?? ""))); },
      async fetchFile() { return null; },
      getResolvedSha() { return "0".repeat(40); },
    },
  });
  if (built.error) throw new Error(built.error);
  const modules = built.modules.map((base64) => Buffer.from(base64, "base64"));
  const shipped = Object.fromEntries(SHIPPED.map(([key, from, name]) => {
    const module = modules.find((bytes) => readModule(bytes).name === name && bytes.includes(address(from)));
    if (!module) throw new Error(`the compiler made no module ${name} at 0x${from}`);
    const at = module.indexOf(address(from));
    return [key, Buffer.concat([module.subarray(0, at), address("2"), module.subarray(at + 32)]).toString("base64")];
  }));
  const text = `${JSON.stringify(shipped, null, 2)}\n`;
  if (!process.argv.includes("--check")) fs.writeFileSync(TARGET, text);
  else if (fs.readFileSync(TARGET, "utf8") !== text) throw new Error("oracle/probe/modules.json is not what the sources give: run node oracle/probe/build.mjs");
} finally {
  fs.rmSync(framework, { recursive: true, force: true });
}

function files(folder) {
  const names = fs.readdirSync(folder, { recursive: true }).filter((name) => /\.(move|toml)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]));
}
