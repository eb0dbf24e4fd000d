// Reads what a compiled Move module is called and which functions of other modules it calls.
// Layout: MystenLabs/sui external-crates/move/crates/move-binary-format/src/file_format_common.rs.
const MAGIC = "a11ceb0b";
const TABLE = { moduleHandles: 1, functionHandles: 3, identifiers: 7, addresses: 8 };
const ADDRESS_LENGTH = 32;

/// `{ name, calls: [{ address, module, function }] }` of one module.
export function readModule(bytes) {
  if (bytes.subarray(0, 4).toString("hex") !== MAGIC) throw new Error("not a Move module: wrong magic bytes");
  const cursor = { bytes, at: 8 };
  const tables = readTables(cursor);
  const contents = cursor.at;
  const end = contents + Math.max(...tables.map((t) => t.offset + t.size));
  const part = (kind) => {
    const table = tables.find((t) => t.kind === kind);
    return table ? bytes.subarray(contents + table.offset, contents + table.offset + table.size) : Buffer.alloc(0);
  };
  const identifiers = readAll(part(TABLE.identifiers), readIdentifier);
  const addresses = readAll(part(TABLE.addresses), (c) => take(c, ADDRESS_LENGTH).toString("hex"));
  const modules = readAll(part(TABLE.moduleHandles), (c) => ({ address: addresses[uleb(c)], name: identifiers[uleb(c)] }));
  const self = modules[uleb({ bytes, at: end })];
  const functions = readAll(part(TABLE.functionHandles), (c) => readFunctionHandle(c, modules, identifiers));
  return { name: self.name, calls: functions.filter((f) => f.module !== self.name || f.address !== self.address) };
}

function readTables(cursor) {
  const tables = [];
  for (let left = uleb(cursor); left > 0; left -= 1) {
    tables.push({ kind: cursor.bytes[cursor.at++], offset: uleb(cursor), size: uleb(cursor) });
  }
  return tables;
}

function readIdentifier(cursor) {
  return take(cursor, uleb(cursor)).toString("utf8");
}

function readFunctionHandle(cursor, modules, identifiers) {
  const module = modules[uleb(cursor)];
  const name = identifiers[uleb(cursor)];
  uleb(cursor); // parameters
  uleb(cursor); // returns
  for (let left = uleb(cursor); left > 0; left -= 1) uleb(cursor); // abilities of a type parameter
  return { address: module.address, module: module.name, function: name };
}

function readAll(bytes, readOne) {
  const cursor = { bytes, at: 0 };
  const items = [];
  while (cursor.at < bytes.length) items.push(readOne(cursor));
  return items;
}

function take(cursor, length) {
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

function uleb(cursor) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.bytes[cursor.at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
}
