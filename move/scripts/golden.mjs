// Golden BCS of the contract's objects, records and events, written down field by field from docs/contract.md. The Move tests make the same
// values and compare bytes; the Rust types read `golden.json`. So the two agree through a third that knows neither.
import { bool, bytes, option, string, struct, u64, u8, vector } from "./bcs.mjs";
import * as scene from "./scene.mjs";

const { ADMIN_CAP, CLUSTER, DAY, DOCUMENT_AT, HASH, HOUR, KEYS, NAME, NOW, PCR8, PCRS, SEQUENCE, STAKE, SUI, TOKEN, address, filled } = scene;
const OPERATOR = address(0xa);
const STAKER = address(0xb);
const TREASURY = address(0xc);
const UNBONDING = 7 * DAY;
const REGISTRATION = 3 * HOUR;

/// `{ "module::Type": bytes }`.
export function golden() {
  const instance = bytes(KEYS.instance.public);
  const consequence = (action, shareBps) => struct(u8(action), u64(shareBps));
  const observe = consequence(0, 0);
  const settings = (first, pin) => struct(
    vector([SUI / 10, SUI, 10 * SUI].map(u64)), vector([false, true, false].map(bool)), u64(UNBONDING), u64(1_000), u64(10_000), TREASURY,
    vector([first, observe, observe]), u64(120_000), u64(300_000), u64(REGISTRATION), option(pin),
  );
  const changed = settings(consequence(2, 5_000), bytes(filled(3, 32)));
  const endpoints = (api, join, master) => struct(string(api), string(join), string(master));
  const firstEndpoints = endpoints("api.example:6443", "", "");
  const rules = struct(u64(DAY), vector([KEYS.auditor_a, KEYS.auditor_b].map((key) => bytes(key.public))), u64(2));
  const active = (successor) => struct(instance, bytes(filled(2, 32)), bytes(filled(1, 32)), option(successor), u64(NOW), bytes(PCRS));
  const successor = bytes(KEYS.successor.public);
  const anchor = struct(u64(7), bytes(HASH), instance, u64(NOW));
  const terms = struct(u64(SUI), u64(UNBONDING), u64(10_000), TREASURY, vector([consequence(2, 5_000), observe, observe]));
  const workerPcrs = vector([struct(u8(4), bytes(filled(4, 48))), struct(u8(12), bytes(filled(0, 48)))]);
  const release = struct(
    bytes(PCRS), option(bytes(PCR8)), workerPcrs, bytes(HASH), string(scene.REVISION), u64(NOW), u64(NOW), u64(0), vector([]), u8(0), u64(0), bool(false),
  );
  const registration = (documentAt, sequence) => struct(
    instance, bytes(PCRS), bytes(filled(1, 32)), bytes(filled(2, 32)), bytes(filled(3, 32)), u64(5), u64(documentAt), u64(NOW),
    u64(documentAt + REGISTRATION), u64(sequence),
  );
  const digest = bytes(scene.sha256(scene.PROOF));
  const session = bytes(KEYS.session.public);
  const nextSession = bytes(KEYS.next_session.public);

  return {
    "cluster::AdminCap": struct(ADMIN_CAP, CLUSTER),
    "cluster::Cluster": struct(
      CLUSTER, u64(1), string("test"), ADMIN_CAP, changed, firstEndpoints, rules, u64(1), option(active(successor)), option(anchor), u64(1),
    ),
    "cluster::Grant": u64(NOW),
    "staking::Stake": struct(
      STAKE, CLUSTER, STAKER, string("worker-a"), string(NAME), u8(1), u8(0), bool(false), u64(2 * SUI), u64(2 * SUI), u64(0), terms, u64(NOW), u64(0),
      option(struct(TOKEN, u64(NOW + HOUR))),
    ),
    "k8s_gateway::SealToken": struct(
      TOKEN, CLUSTER, STAKER, STAKE, string(NAME), nextSession, u64(2), u8(1), u64(NOW), u64(NOW + HOUR), bool(false), vector([session]),
    ),
    "upgrade_lock::UpgradeLock": struct(
      scene.UPGRADE_LOCK, OPERATOR, struct(scene.UPGRADE_CAP, address(0xcafe), u64(1), u8(0)), u64(DAY),
      option(struct(bytes(filled(1, 32)), u64(NOW + DAY))),
    ),
    "measurements::Release": release,
    "enclave::Registration": registration(DOCUMENT_AT, SEQUENCE),
    "evidence::EvidenceRecord": struct(STAKE, u8(2), u64(NOW)),

    "cluster::ClusterCreated": struct(CLUSTER, ADMIN_CAP, string("test"), settings(observe, undefined), firstEndpoints),
    "cluster::SettingsChanged": struct(CLUSTER, changed),
    "cluster::EndpointsChanged": struct(CLUSTER, endpoints("a:1", "b:2", "c:3")),
    "cluster::ReleaseRulesChanged": struct(CLUSTER, rules),
    "cluster::Migrated": struct(CLUSTER, u64(1)),
    "cluster::Granted": struct(CLUSTER, STAKER, u8(2)),
    "cluster::Ungranted": struct(CLUSTER, STAKER, u8(2)),
    "cluster::InstanceActivated": struct(CLUSTER, active(undefined), u64(1), bool(true)),
    "cluster::InstanceDropped": struct(CLUSTER, u64(2)),
    "cluster::SuccessorNamed": struct(CLUSTER, instance, successor),
    "cluster::Anchored": struct(CLUSTER, anchor),
    "measurements::ReleasePublished": struct(CLUSTER, release),
    "measurements::ReleaseApproved": struct(CLUSTER, bytes(PCRS), bytes(KEYS.auditor_a.public)),
    "measurements::ReleaseRetiring": struct(CLUSTER, bytes(PCRS), u64(NOW + DAY)),
    "measurements::ReleaseRevoked": struct(CLUSTER, bytes(PCRS), bool(true), u64(2)),
    "enclave::Registered": struct(CLUSTER, registration(DOCUMENT_AT, DOCUMENT_AT)),
    "enclave::Renewed": struct(CLUSTER, registration(DOCUMENT_AT + 500, SEQUENCE)),
    "enclave::Forgotten": struct(CLUSTER, instance),
    "staking::Staked": struct(CLUSTER, STAKE, STAKER, string("worker-a"), string(NAME), u8(1), u64(2 * SUI), terms, u64(NOW)),
    "staking::ToppedUp": struct(CLUSTER, STAKE, u64(5), u64(2 * SUI + 5)),
    "staking::Unstaked": struct(CLUSTER, STAKE, u64(2 * SUI), u64(NOW + UNBONDING)),
    "staking::Withdrawn": struct(CLUSTER, STAKE, STAKER, u64(2 * SUI + 4), u8(3)),
    "staking::Slashed": struct(CLUSTER, STAKE, u64(1), u64(2 * SUI + 4), u8(255), string("test"), TREASURY, u64(NOW + UNBONDING)),
    "staking::Suspended": struct(CLUSTER, STAKE, u8(255)),
    "staking::Resumed": struct(CLUSTER, STAKE),
    "evidence::EvidenceRecorded": struct(CLUSTER, STAKE, instance, u64(SEQUENCE), u8(2), digest, u8(0)),
    "k8s_gateway::TokenCreated": struct(CLUSTER, TOKEN, STAKE, STAKER, string(NAME), session, u64(1), u8(1), u64(NOW + HOUR)),
    "k8s_gateway::SessionKeyRotated": struct(CLUSTER, TOKEN, nextSession, u64(2)),
    "k8s_gateway::TokenExtended": struct(CLUSTER, TOKEN, u64(NOW + 2 * HOUR)),
    "k8s_gateway::TokenRevoked": struct(CLUSTER, TOKEN, bool(false)),
    "upgrade_lock::Locked": struct(scene.UPGRADE_LOCK, OPERATOR, address(0xcafe), u64(DAY)),
    "upgrade_lock::Proposed": struct(scene.UPGRADE_LOCK, bytes(filled(1, 32)), u64(NOW + DAY)),
    "upgrade_lock::Authorized": struct(scene.UPGRADE_LOCK, bytes(filled(1, 32))),
    "upgrade_lock::Committed": struct(scene.UPGRADE_LOCK, address(0xbeef), u64(2)),
    "upgrade_lock::Frozen": struct(scene.UPGRADE_LOCK, address(0xbeef)),
  };
}
