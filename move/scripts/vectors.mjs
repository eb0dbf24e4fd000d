// Keys, messages and signatures for the unit tests, made by Node's own Ed25519 and a few lines of BCS: an implementation that shares nothing with
// the package. Object ids are those that the test fixture gets from its fixed transaction hints; the fixture asserts them.
import crypto from "node:crypto";

const CLUSTER = Buffer.from("d726ecf6f7036ee3557cd6c7b93a49b231070e8eecada9cfa157e40e3f02e5d3", "hex");
const STAKE = Buffer.from("2e7c7744e7aca1de732a399d6e43e81b6c151e30ccc86553742f1a57eeb32b08", "hex");
const TOKEN = Buffer.from("751dd9619c0a0e38d58e91544a662ec57362fce1a82a20db2fd1e77b86dc5a45", "hex");
const NAME = "worker-a-2e7c7744";
const NOW = 1_000_000_000n;
const DOCUMENT_AT = NOW - 1_000n;
const SEQUENCE = NOW;

const keys = Object.fromEntries(
  ["instance", "other_instance", "successor", "auditor_a", "auditor_b", "session", "next_session"].map((name, i) => [name, keyPair(i + 1)]),
);
const PCRS = Buffer.concat([1, 2, 3].map((byte) => Buffer.alloc(48, byte)));
const HASH = Buffer.alloc(32, 9);
const PROOF = Buffer.from("two tunnels, one key");

/// The Move module `k3s_daas::vectors`.
export function vectorsModule() {
  const instance = keys.instance.public;
  const sign = (key, kind, message) => signed(keys[key], kind, message);
  const auditors = (list) => vector(list.map((name) => bytes(keys[name].public)));
  const rules = Buffer.concat([u64(0n), auditors(["auditor_a", "auditor_b"]), u64(2n)]);
  const change = Buffer.concat([CLUSTER, auditors(["auditor_a"]), u64(1n), bytes(sha256(rules))]);
  const release = Buffer.concat([
    CLUSTER, bytes(PCRS), some(bytes(Buffer.alloc(48, 8))),
    vector([Buffer.concat([u8(4), bytes(Buffer.alloc(48, 4))]), Buffer.concat([u8(12), bytes(Buffer.alloc(48, 0))])]),
    bytes(HASH), bytes(Buffer.from("git:0123456789")),
  ]);
  const said = (...rest) => Buffer.concat([CLUSTER, bytes(instance), u64(SEQUENCE), ...rest]);
  const evidence = (offence, proof) => said(STAKE, u8(offence), bytes(sha256(proof)));
  const statement = (cluster, token, stake, name) =>
    Buffer.concat([cluster, token, stake, bytes(Buffer.from(name)), u64(NOW)]);
  const statements = {
    otherStake: statement(CLUSTER, TOKEN, TOKEN, NAME),
    otherName: statement(CLUSTER, TOKEN, STAKE, "worker-b-2e7c7744"),
    longerName: statement(CLUSTER, TOKEN, STAKE, `${NAME}0`),
    true: statement(CLUSTER, TOKEN, STAKE, NAME),
    otherToken: statement(CLUSTER, STAKE, TOKEN, NAME),
    otherCluster: statement(STAKE, TOKEN, TOKEN, NAME),
  };

  const values = {
    cluster_id: CLUSTER, stake_id: STAKE, token_id: TOKEN, hash: HASH, proof: PROOF,
    ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [`${name}_key`, key.public])),
    claims: claims(1, CLUSTER, 137), claims_of_version_2: claims(2, CLUSTER, 137),
    claims_of_other_cluster: claims(1, STAKE, 137), short_claims: claims(1, CLUSTER, 136), long_claims: claims(1, CLUSTER, 138),
    change_by_a: sign("auditor_a", "auditors", change), change_by_b: sign("auditor_b", "auditors", change),
    approval_by_a: sign("auditor_a", "release", release), approval_by_b: sign("auditor_b", "release", release),
    renewal: sign("instance", "renew", said(u64(DOCUMENT_AT + 500n))),
    anchor: sign("instance", "anchor", said(u64(7n), bytes(HASH))),
    naming: sign("instance", "successor", said(bytes(keys.successor.public))),
    handover: sign("instance", "handover", said(bytes(keys.other_instance.public))),
    handover_by_successor: signed(keys.successor, "handover", Buffer.concat([CLUSTER, bytes(instance), u64(SEQUENCE + 1n), bytes(keys.other_instance.public)])),
    double_identity: sign("instance", "evidence", evidence(0, PROOF)),
    silent: sign("instance", "evidence", evidence(2, PROOF)),
    statement_of_other_stake: statements.otherStake, statement_of_other_name: statements.otherName,
    statement_of_longer_name: statements.longerName, true_statement: statements.true,
    statement_of_other_token: statements.otherToken, statement_of_other_cluster: statements.otherCluster,
    signed_other_stake: sign("session", "statement", statements.otherStake),
    signed_other_name: sign("session", "statement", statements.otherName),
    signed_longer_name: sign("session", "statement", statements.longerName),
    signed_truth: sign("session", "statement", statements.true),
    signed_by_next_session: sign("next_session", "statement", statements.otherStake),
    forged_stake: sign("instance", "evidence", evidence(1, statements.otherStake)),
    forged_name: sign("instance", "evidence", evidence(1, statements.otherName)),
  };
  const functions = Object.entries(values).map(([name, value]) => `public fun ${name}(): vector<u8> { x"${value.toString("hex")}" }`);
  return [
    "/// Written by `build.mjs` (scripts/vectors.mjs): keys, messages and signatures that the tests use.",
    "#[test_only]",
    "module k3s_daas::vectors;",
    "",
    ...functions,
    "",
  ].join("\n");
}

/// State epoch 5; the three hashes are bytes 1, 2 and 3 all over.
function claims(version, cluster, length) {
  const whole = Buffer.concat([u8(version), cluster, ...[1, 2, 3].map((byte) => Buffer.alloc(32, byte)), u64(5n), u8(0)]);
  return whole.subarray(0, length);
}

function keyPair(seed) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]);
  const secret = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const spki = crypto.createPublicKey(secret).export({ format: "der", type: "spki" });
  return { secret, public: spki.subarray(spki.length - 32) };
}

function signed(key, kind, message) {
  return crypto.sign(null, Buffer.concat([Buffer.from(`k3s-daas/${kind}/v1\0`), message]), key.secret);
}

function sha256(data) {
  return crypto.createHash("sha256").update(data).digest();
}

function u8(value) {
  return Buffer.from([value]);
}

function u64(value) {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

function bytes(data) {
  return Buffer.concat([uleb(data.length), data]);
}

function vector(items) {
  return Buffer.concat([uleb(items.length), ...items]);
}

function some(item) {
  return Buffer.concat([u8(1), item]);
}

function uleb(value) {
  return value < 128 ? u8(value) : Buffer.from([(value & 127) | 128, value >> 7]);
}
