// The Sui framework as interfaces: Move sources that declare every public type and function of 0x1 and 0x2, generated from the ABIs in
// the npm package @typemove/sui. The compiler needs no more: modules built against them are byte-identical to a build against the
// framework itself. Bodies abort, except those of bodies.mjs, which the unit tests run.
import fs from "node:fs";
import path from "node:path";
import { ADDITIONS, BODIES, MUTABLE_PARAMETERS, NATIVES } from "./bodies.mjs";

const PACKAGES = [
  { folder: "move-stdlib", name: "MoveStdlib", alias: "std", address: "0x1" },
  { folder: "sui-framework", name: "Sui", alias: "sui", address: "0x2" },
];
const ABILITIES = { 1: "copy", 2: "drop", 3: "store", 4: "key" };
const PRIMITIVES = { 1: "address", 2: "bool", 3: "u8", 4: "u16", 5: "u32", 6: "u64", 7: "u128", 8: "u256" };
const VECTOR = 9;
const DATATYPE = 10;
const TYPE_PARAMETER = 11;
const PUBLIC = 2;
const REFERENCES = { 1: "&", 2: "&mut " };
const KEYWORDS = new Set(["for", "match", "type", "enum", "mut"]);

/// Writes the framework below `out`, one package folder each.
export function writeFramework(abis, out) {
  for (const pkg of PACKAGES) {
    const sources = path.join(out, pkg.folder, "sources");
    fs.mkdirSync(sources, { recursive: true });
    fs.writeFileSync(path.join(out, pkg.folder, "Move.toml"), manifest(pkg));
    for (const { module } of JSON.parse(fs.readFileSync(path.join(abis, `${pkg.address}.json`), "utf8"))) {
      fs.writeFileSync(path.join(sources, `${module.name}.move`), moduleSource(pkg.alias, module));
    }
  }
  // The compiler's test mode wants this module to exist.
  const unitTest = "#[test_only] module std::unit_test;\npublic fun poison() {}\n";
  fs.writeFileSync(path.join(out, "move-stdlib", "sources", "unit_test.move"), unitTest);
}

function manifest({ name, alias, address }) {
  const dependency = alias === "sui" ? '\n[dependencies]\nMoveStdlib = { local = "../move-stdlib" }\n' : "";
  return `[package]\nname = "${name}"\nedition = "2024"\npublished-at = "${address}"\n${dependency}\n[addresses]\n${alias} = "${address}"\n`;
}

function moduleSource(alias, module) {
  const name = `${alias}::${module.name}`;
  const publicFunctions = module.functions.filter((f) => f.visibility === PUBLIC);
  return [
    ...(name === "std::vector" ? ["#[defines_primitive(vector)]"] : []),
    `module ${name};`,
    ...module.datatypes.map(datatype),
    ...publicFunctions.map((f) => functionSource(name, f)),
    ...(ADDITIONS[name] ?? []),
    "",
  ].join("\n");
}

function datatype(type) {
  const name = type.typeName.split("::").at(-1);
  const parameters = type.typeParameters.map((_, i) => `T${i}`);
  const abilities = type.abilities.length ? " has " + type.abilities.map((a) => ABILITIES[a]).join(", ") : "";
  const fields = (list) => list.map((f) => `${identifier(f.name)}: ${typeName(f.type, parameters)}`).join(", ");
  const head = `${name}${typeParameters(type.typeParameters)}${abilities}`;
  if (type.variants?.length) {
    const variants = type.variants.map((v) => v.name + (v.fields.length ? ` { ${fields(v.fields)} }` : ""));
    return `public enum ${head} { ${variants.join(", ")} }`;
  }
  return `public struct ${head} { ${fields(type.fields)} }`;
}

function functionSource(module, fn) {
  const key = `${module}::${fn.name}`;
  const types = fn.typeParameters.map((_, i) => `T${i}`);
  const mutable = (name) => (MUTABLE_PARAMETERS.has(`${key} ${name}`) ? "mut " : "");
  const parameters = fn.parameters.map((p, i) => `${mutable(`a${i}`)}a${i}: ${reference(p, types)}`).join(", ");
  const returns = fn.returns.map((r) => reference(r, types));
  const result = returns.length === 0 ? "" : `: ${returns.length === 1 ? returns[0] : `(${returns.join(", ")})`}`;
  const index = module === "std::vector" && ["borrow", "borrow_mut"].includes(fn.name) ? "#[syntax(index)] " : "";
  const signature = `fun ${fn.name}${typeParameters(fn.typeParameters)}(${parameters})${result}`;
  if (NATIVES.has(key)) return `${index}public native ${signature};`;
  return `public ${signature} { ${BODIES[key] ?? "abort 0"} }`;
}

function typeParameters(list) {
  if (list.length === 0) return "";
  const one = (p, i) => {
    const constraints = p.constraints.length ? ": " + p.constraints.map((c) => ABILITIES[c]).join(" + ") : "";
    return `${p.isPhantom ? "phantom " : ""}T${i}${constraints}`;
  };
  return `<${list.map(one).join(", ")}>`;
}

function reference(signature, parameters) {
  return (REFERENCES[signature.reference] ?? "") + typeName(signature.body, parameters);
}

function typeName(type, parameters) {
  if (PRIMITIVES[type.type]) return PRIMITIVES[type.type];
  const inner = (type.typeParameterInstantiation ?? []).map((t) => typeName(t, parameters));
  if (type.type === VECTOR) return `vector<${inner[0]}>`;
  if (type.type === TYPE_PARAMETER) return parameters[type.typeParameter];
  if (type.type !== DATATYPE) throw new Error(`the ABI has an unknown type: ${JSON.stringify(type)}`);
  const [address, ...rest] = type.typeName.split("::");
  const short = "0x" + (address.slice(2).replace(/^0+/, "") || "0");
  const home = PACKAGES.find((p) => p.address === short)?.alias ?? short;
  return [home, ...rest].join("::") + (inner.length ? `<${inner.join(", ")}>` : "");
}

function identifier(name) {
  return KEYWORDS.has(name) ? `\`${name}\`` : name;
}
