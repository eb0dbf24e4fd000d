// The named abort codes of the sources: `{ module: { code: { name, doc } } }`.
const MODULE = /^module k3s_daas::(\w+);/m;
const CONSTANT = /((?:^\/\/\/.*\n)*)^const (E[A-Z]\w*): u64 = (\d+);/gm;

export function readAborts(sources) {
  const aborts = {};
  for (const source of sources) {
    const module = MODULE.exec(source)?.[1];
    if (!module) continue;
    const codes = {};
    for (const [, comment, name, code] of source.matchAll(CONSTANT)) {
      const doc = comment.replace(/^\/\/\/ ?/gm, "").trim().replace(/\n/g, " ");
      if (!doc) throw new Error(`${module}::${name} has no doc comment: say what happened and what to do`);
      if (codes[code]) throw new Error(`${module}: ${name} and ${codes[code].name} share the code ${code}`);
      codes[code] = { name, doc };
    }
    if (Object.keys(codes).length) aborts[module] = codes;
  }
  return Object.fromEntries(Object.entries(aborts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/// The abort codes, as `module::Name`, that no test expects.
export function untestedAborts(aborts, tests) {
  const expected = new Set(tests.flatMap((source) => [...source.matchAll(/abort_code = k3s_daas::(\w+::\w+)/g)].map((m) => m[1])));
  const names = Object.entries(aborts).flatMap(([module, codes]) => Object.values(codes).map(({ name }) => `${module}::${name}`));
  return names.filter((name) => !expected.has(name));
}
