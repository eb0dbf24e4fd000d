// The package's files as the builder takes them, and its answer to the builder's request for the framework.
import fs from "node:fs";
import path from "node:path";

/// The package's own files below `root`, by path.
export function packageFiles(root) {
  const files = { "Move.toml": fs.readFileSync(path.join(root, "Move.toml"), "utf8") };
  for (const folder of ["sources", "tests"]) Object.assign(files, moveFiles(root, folder));
  return files;
}

/// The Move sources of one folder below `root`, by path.
export function moveFiles(root, folder) {
  const names = fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".move"));
  return Object.fromEntries(names.sort().map((name) => [`${folder}/${name}`, fs.readFileSync(path.join(root, folder, name), "utf8")]));
}

/// Gives the builder the framework written to `home` by `writeFramework`, whatever repository and revision it asks for.
export function frameworkFetcher(home) {
  return {
    async fetch(_repository, _revision, folder) {
      const root = path.join(home, path.basename(folder ?? ""));
      return { "Move.toml": fs.readFileSync(path.join(root, "Move.toml"), "utf8"), ...moveFiles(root, "sources") };
    },
    async fetchFile() {
      return null;
    },
    getResolvedSha() {
      return "0".repeat(40);
    },
  };
}
