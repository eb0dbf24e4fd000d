// What the unit tests' fixture builds, seen from outside: ids, keys and the values that go into it. Object ids are those that fixed transaction hints
// give; the fixture asserts them.
import crypto from "node:crypto";

const hex = (digits) => Buffer.from(digits, "hex");

export const CLUSTER = hex("d726ecf6f7036ee3557cd6c7b93a49b231070e8eecada9cfa157e40e3f02e5d3");
export const ADMIN_CAP = hex("63d9a65220318469fb169034d8a011eae3f014fed2a1f8c006183e2ece3c3975");
export const STAKE = hex("2e7c7744e7aca1de732a399d6e43e81b6c151e30ccc86553742f1a57eeb32b08");
export const TOKEN = hex("751dd9619c0a0e38d58e91544a662ec57362fce1a82a20db2fd1e77b86dc5a45");
export const UPGRADE_CAP = hex("47525c106922ccff166bf3731988e0e00c0b5163c7a83fd66668bcd7b6d71cb8");
export const UPGRADE_LOCK = hex("3c08281b9ca338d924c92a2e1bc2eaf9d889eaa58736c9c680e9e9a2af9fe234");
export const NAME = "worker-a-2e7c7744";
export const NOW = 1_000_000_000;
export const DOCUMENT_AT = NOW - 1_000;
/// The one sequence that all messages of the vectors use: above the document's time, where a registration starts.
export const SEQUENCE = NOW;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const SUI = 1_000_000_000;
export const PROOF = Buffer.from("two tunnels, one key");
export const HASH = filled(9, 32);
export const PCRS = Buffer.concat([filled(1, 48), filled(2, 48), filled(3, 48)]);
export const PCR8 = filled(8, 48);
export const REVISION = "git:0123456789";

export const KEYS = Object.fromEntries(
  ["instance", "other_instance", "successor", "auditor_a", "auditor_b", "session", "next_session"].map((name, i) => [name, keyPair(i + 1)]),
);

export function filled(byte, length) {
  return Buffer.alloc(length, byte);
}

export function address(number) {
  return Buffer.concat([Buffer.alloc(30), Buffer.from([number >> 8, number & 255])]);
}

export function sha256(data) {
  return crypto.createHash("sha256").update(data).digest();
}

export function signed(key, kind, message) {
  return crypto.sign(null, Buffer.concat([Buffer.from(`k3s-daas/${kind}/v1\0`), message]), key.secret);
}

function keyPair(seed) {
  const der = Buffer.concat([hex("302e020100300506032b657004220420"), filled(seed, 32)]);
  const secret = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const spki = crypto.createPublicKey(secret).export({ format: "der", type: "spki" });
  return { secret, public: spki.subarray(spki.length - 32) };
}
