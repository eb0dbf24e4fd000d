// BCS, as far as the contract uses it (github.com/diem/bcs): little-endian integers, ULEB128 lengths, structs as their fields in a row.

export function u8(value) {
  return Buffer.from([value]);
}

export function u64(value) {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

export function bool(value) {
  return u8(value ? 1 : 0);
}

export function bytes(data) {
  return Buffer.concat([uleb(data.length), data]);
}

export function string(text) {
  return bytes(Buffer.from(text));
}

export function vector(items) {
  return Buffer.concat([uleb(items.length), ...items]);
}

/// `item` is undefined for none.
export function option(item) {
  return item ? Buffer.concat([u8(1), item]) : u8(0);
}

export function struct(...fields) {
  return Buffer.concat(fields);
}

function uleb(value) {
  return value < 128 ? u8(value) : Buffer.from([(value & 127) | 128, value >> 7]);
}
