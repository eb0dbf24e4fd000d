// Messages and signatures for the unit tests, made by Node's own Ed25519 and a few lines of BCS: an implementation that shares nothing with the
// package. With them the golden bytes of golden.mjs, as Move functions.
import { bytes, option, struct, string, u64, u8, vector } from "./bcs.mjs";
import { golden } from "./golden.mjs";
import { CLUSTER, DAY, DOCUMENT_AT, HASH, KEYS, NAME, NOW, PCR8, PCRS, PROOF, REVISION, SEQUENCE, STAKE, SUI, TOKEN } from "./scene.mjs";
import { address, filled, sha256, signed } from "./scene.mjs";

/// The Move module `k3s_daas::vectors`.
export function vectorsModule() {
  const instance = KEYS.instance.public;
  const sign = (key, kind, message) => signed(KEYS[key], kind, message);
  const auditors = (list) => vector(list.map((name) => bytes(KEYS[name].public)));
  const rules = struct(u64(0), auditors(["auditor_a", "auditor_b"]), u64(2));
  const change = struct(CLUSTER, auditors(["auditor_a"]), u64(1), bytes(sha256(rules)));
  const workerPcrs = [struct(u8(4), bytes(filled(4, 48))), struct(u8(12), bytes(filled(0, 48)))];
  const release = struct(CLUSTER, bytes(PCRS), option(bytes(PCR8)), vector(workerPcrs), bytes(HASH), string(REVISION));
  const said = (...rest) => struct(CLUSTER, bytes(instance), u64(SEQUENCE), ...rest);
  const evidence = (offence, proof) => said(STAKE, u8(offence), bytes(sha256(proof)));
  const statement = (cluster, token, stake, name) => struct(cluster, token, stake, string(name), u64(NOW));
  const statements = {
    otherStake: statement(CLUSTER, TOKEN, TOKEN, NAME),
    otherName: statement(CLUSTER, TOKEN, STAKE, "worker-b-2e7c7744"),
    longerName: statement(CLUSTER, TOKEN, STAKE, `${NAME}0`),
    true: statement(CLUSTER, TOKEN, STAKE, NAME),
    otherToken: statement(CLUSTER, STAKE, TOKEN, NAME),
    otherCluster: statement(STAKE, TOKEN, TOKEN, NAME),
  };

  // A worker's, as a new cluster has them: every offence is observed.
  const observe = struct(u8(0), u64(0));
  const terms = struct(u64(SUI), u64(7 * DAY), u64(10_000), address(0xc), vector([observe, observe, observe]));

  const values = {
    terms,
    cluster_id: CLUSTER, stake_id: STAKE, token_id: TOKEN, hash: HASH, proof: PROOF,
    ...Object.fromEntries(Object.entries(KEYS).map(([name, key]) => [`${name}_key`, key.public])),
    claims: claims(1, CLUSTER, 137), claims_of_version_2: claims(2, CLUSTER, 137),
    claims_of_other_cluster: claims(1, STAKE, 137), short_claims: claims(1, CLUSTER, 136), long_claims: claims(1, CLUSTER, 138),
    change_by_a: sign("auditor_a", "auditors", change), change_by_b: sign("auditor_b", "auditors", change),
    approval_by_a: sign("auditor_a", "release", release), approval_by_b: sign("auditor_b", "release", release),
    renewal: sign("instance", "renew", said(u64(DOCUMENT_AT + 500))),
    anchor: sign("instance", "anchor", said(u64(7), bytes(HASH))),
    naming: sign("instance", "successor", said(bytes(KEYS.successor.public))),
    handover: sign("instance", "handover", said(bytes(KEYS.other_instance.public))),
    handover_by_successor: signed(KEYS.successor, "handover", struct(CLUSTER, bytes(instance), u64(SEQUENCE + 1), bytes(KEYS.other_instance.public))),
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
    ...Object.fromEntries(Object.entries(golden()).map(([type, value]) => [`golden_${snakeCase(type)}`, value])),
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

/// `staking::ToppedUp` is `topped_up`.
function snakeCase(type) {
  return type.split("::").at(-1).replace(/(?<=[a-z])[A-Z]/g, "_$&").toLowerCase();
}

/// State epoch 5; the three hashes are bytes 1, 2 and 3 all over.
function claims(version, cluster, length) {
  const whole = struct(u8(version), cluster, filled(1, 32), filled(2, 32), filled(3, 32), u64(5), u8(0));
  return whole.subarray(0, length);
}
