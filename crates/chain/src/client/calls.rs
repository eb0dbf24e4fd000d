//! One typed function for each function of the package that a transaction calls, named and ordered as in
//! `docs/contract.md`. They only add a command; [`super::Session`] runs whole transactions.
//!
//! Arguments that are objects or results are [`Argument`]s: from [`Ptb::shared`], [`Ptb::owned`], [`Ptb::payment`] or
//! another call.

use sui_sdk_types::Address;
pub use sui_transaction_builder::Argument;

use super::ptb::{Clock, Ptb, Value};
use crate::types::{ActionKind, Bytes32, Offence, Pcr};
use daas_seal_token::Tier;

macro_rules! calls {
    ($(#[$module_doc:meta] $module:ident { $($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),* $(,)?);)* })*) => {$(
        #[$module_doc]
        pub mod $module {
            #[allow(unused_imports)]
            use super::*;

            $(
                $(#[$doc])*
                #[allow(clippy::too_many_arguments)]
                pub fn $name(ptb: &mut Ptb, $($argument: $type),*) -> Argument {
                    let arguments = vec![$($argument.put(ptb)),*];
                    ptb.call(stringify!($module), stringify!($name), arguments)
                }
            )*
        }
    )*};
}

calls! {
    /// `cluster::*`.
    cluster {
        /// Gives back the Cluster and its AdminCap: see [`Argument::to_nested`].
        new(name: &str, api: &str, join: &str, master: &str, treasury: Address);
        /// Makes it known to all.
        share(cluster: Argument);
        /// MIST that a tier's stake needs.
        set_minimum_stake(cluster: Argument, cap: Argument, tier: Tier, mist: u64);
        /// Opens a tier to stake alone, or closes it.
        set_tier_open(cluster: Argument, cap: Argument, tier: Tier, open: bool);
        /// Time between unstake and withdraw.
        set_unbonding(cluster: Argument, cap: Argument, ms: u64);
        /// How many worker stakes may be Active.
        set_max_workers(cluster: Argument, cap: Argument, max: u64);
        /// The most that slashes may take, in basis points.
        set_slash_share(cluster: Argument, cap: Argument, bps: u64);
        /// Where slashed money goes.
        set_treasury(cluster: Argument, cap: Argument, treasury: Address);
        /// What follows from an offence.
        set_offence(cluster: Argument, cap: Argument, offence: Offence, action: ActionKind, share_bps: u64);
        /// How long a worker may be silent.
        set_heartbeat_limit(cluster: Argument, cap: Argument, ms: u64);
        /// Age of documents, life of registrations.
        set_freshness(cluster: Argument, cap: Argument, document_max_age_ms: u64, registration_ms: u64);
        /// SHA-256 that the runtime configuration must have.
        set_config_pin(cluster: Argument, cap: Argument, sha256: Option<Bytes32>);
        /// Where the cluster is reached.
        set_endpoints(cluster: Argument, cap: Argument, api: &str, join: &str, master: &str);
        /// Time between publishing a release and Active: only ever longer.
        set_release_delay(cluster: Argument, cap: Argument, ms: u64);
        /// The auditors; once set, present auditors must sign a change.
        set_auditors(cluster: Argument, cap: Argument, auditors: &[Bytes32], threshold: u64, signers: &[Bytes32], signatures: &[Vec<u8>]);
        /// Lets a wallet stake for reader or admin.
        grant(cluster: Argument, cap: Argument, wallet: Address, tier: Tier, clock: Clock);
        /// Takes that back.
        ungrant(cluster: Argument, cap: Argument, wallet: Address, tier: Tier);
        /// Moves the data to this version of the package.
        migrate(cluster: Argument, cap: Argument);
    }

    /// `measurements::*`.
    measurements {
        /// Lists a release.
        publish(cluster: Argument, cap: Argument, pcr0: &Pcr, pcr1: &Pcr, pcr2: &Pcr, pcr8: Option<Pcr>, worker_indexes: &[u8],
                worker_values: &[Vec<u8>], artifact_sha256: &Bytes32, source_revision: &str, clock: Clock);
        /// An auditor's approval; anyone submits it.
        approve(cluster: Argument, pcrs: &[u8], auditor: &Bytes32, signature: &[u8]);
        /// Ends a release at a time.
        retire(cluster: Argument, cap: Argument, pcrs: &[u8], until_ms: u64, clock: Clock);
        /// Ends a release now.
        revoke(cluster: Argument, cap: Argument, pcrs: &[u8], compromised: bool);
    }

    /// `enclave::*`.
    enclave {
        /// Registers an instance; the document comes from [`super::load_document`].
        register(cluster: Argument, document: Argument, clock: Clock);
        /// Renews a registration.
        renew(cluster: Argument, document: Argument, sequence: u64, signature: &[u8], clock: Clock);
        /// Aborts unless the instance is registered, unexpired and of a good release.
        verify(cluster: Argument, instance: &Bytes32, clock: Clock);
        /// Aborts unless it is all that and the active one.
        verify_active(cluster: Argument, instance: &Bytes32, clock: Clock);
        /// Makes an instance the active one.
        activate(cluster: Argument, cap: Argument, instance: &Bytes32, clock: Clock);
        /// Names who may hand over in the active instance's place.
        name_successor(cluster: Argument, instance: &Bytes32, sequence: u64, successor_key: &Bytes32, signature: &[u8], clock: Clock);
        /// Makes another instance the active one, signed by the present one or its successor key.
        hand_over(cluster: Argument, signer: &Bytes32, sequence: u64, successor: &Bytes32, signature: &[u8], clock: Clock);
        /// Anchors the sealed state.
        anchor(cluster: Argument, instance: &Bytes32, sequence: u64, epoch: u64, hash: &Bytes32, signature: &[u8], clock: Clock);
        /// Removes an expired registration.
        forget_expired(cluster: Argument, instance: &Bytes32, clock: Clock);
    }

    /// `staking::*`.
    staking {
        /// Makes a worker's Stake.
        stake_for_node(cluster: Argument, payment: Argument, node_id: &str, agreed_terms: &[u8], clock: Clock);
        /// Makes a reader's or admin's Stake.
        stake_for_access(cluster: Argument, payment: Argument, tier: Tier, node_id: &str, agreed_terms: &[u8], clock: Clock);
        /// Makes a Stake known to all: needed once, in the transaction that makes it.
        share(stake: Argument);
        /// Adds money.
        top_up(cluster: Argument, stake: Argument, payment: Argument);
        /// Begins unbonding.
        unstake(cluster: Argument, stake: Argument, clock: Clock);
        /// Gives back the Coin.
        withdraw(cluster: Argument, stake: Argument, clock: Clock);
        /// Takes money.
        slash(cluster: Argument, cap: Argument, stake: Argument, amount: u64, reason: &str, clock: Clock);
        /// Keeps a stake out.
        suspend(cluster: Argument, cap: Argument, stake: Argument);
        /// Lets it in again.
        resume(cluster: Argument, cap: Argument, stake: Argument);
    }

    /// `evidence::*`.
    evidence {
        /// Evidence by the active instance.
        report(cluster: Argument, stake: Argument, instance: &Bytes32, sequence: u64, offence: Offence, proof: &[u8], signature: &[u8], clock: Clock);
    }

    /// `k8s_gateway::*`.
    k8s_gateway {
        /// Makes the Seal token of a worker's stake.
        create_worker_seal_token(cluster: Argument, stake: Argument, session_key: &Bytes32, lifetime_ms: u64, clock: Clock);
        /// Makes the Seal token of a reader's or admin's stake.
        create_access_seal_token(cluster: Argument, stake: Argument, session_key: &Bytes32, lifetime_ms: u64, clock: Clock);
        /// Another session key.
        rotate_session_key(cluster: Argument, stake: Argument, token: Argument, session_key: &Bytes32, clock: Clock);
        /// A later end.
        extend(cluster: Argument, stake: Argument, token: Argument, lifetime_ms: u64, clock: Clock);
        /// The end, by the owner.
        revoke(cluster: Argument, stake: Argument, token: Argument);
        /// The end, by the admin.
        revoke_by_admin(cluster: Argument, cap: Argument, stake: Argument, token: Argument);
        /// A statement that the chain contradicts.
        report_forged_statement(cluster: Argument, stake: Argument, token: Argument, instance: &Bytes32, sequence: u64, key_generation: u64,
                                statement: &[u8], statement_signature: &[u8], signature: &[u8], clock: Clock);
    }

    /// `upgrade_lock::*`.
    upgrade_lock {
        /// Puts an UpgradeCap behind a delay.
        lock(cap: Argument, delay_ms: u64);
        /// Proposes an upgrade by its digest.
        propose(lock: Argument, digest: &Bytes32, clock: Clock);
        /// Gives back the UpgradeTicket.
        authorize(lock: Argument, clock: Clock);
        /// Takes the UpgradeReceipt.
        commit(lock: Argument, receipt: Argument);
        /// Ends all upgrades.
        make_immutable(lock: Argument);
    }
}

/// `0x2::nitro_attestation::load_nitro_attestation`: an entry function, so it is called by the transaction itself.
pub fn load_document(ptb: &mut Ptb, document: &[u8]) -> Argument {
    let document = document.put(ptb);
    let clock = ptb.clock();
    ptb.call_of(Address::TWO, "nitro_attestation", "load_nitro_attestation", vec![document, clock])
}

/// `0x2::package::make_immutable`: ends all upgrades of a package whose cap is not behind a lock.
pub fn make_immutable(ptb: &mut Ptb, upgrade_cap: Argument) -> Argument {
    ptb.call_of(Address::TWO, "package", "make_immutable", vec![upgrade_cap])
}
