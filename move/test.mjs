// node test.mjs
// Runs the unit tests of the sources as they stand, warnings or not, and writes nothing: for `scripts/mutants`, which takes defences out.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { frameworkFetcher, packageFiles } from "./scripts/package.mjs";
import { writeFramework } from "./scripts/framework.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const builder = await import("@zktx.io/sui-move-builder/full");
await builder.initMovePackageBuilder();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "k3s-daas-tests-"));
writeFramework(path.join(HERE, "node_modules", "@typemove", "sui", "src", "abis"), scratch);
const input = { files: packageFiles(HERE), fetcher: frameworkFetcher(scratch), network: "mainnet", silenceWarnings: true };
const result = await builder.testMovePackage(input);
fs.rmSync(scratch, { recursive: true, force: true });
console.log((result.output ?? result.error).trimEnd());
process.exit(result.passed ? 0 : 1);
