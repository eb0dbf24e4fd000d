//! Gas: approximate, deterministic, and such that SUI is conserved.
//!
//! Computation: interpreter steps rounded up into the protocol's buckets, times the price. Storage: bytes of each
//! written object; what was paid stays in the object as its rebate, of which 99 % come back when the object is changed
//! or deleted (sui-types/src/gas_model/gas_v2.rs).

use sui_sdk_types::{GasCostSummary, Object};

use super::admission::MINIMUM_UNITS;

/// Computation buckets in gas units (`computation_bucket` of the gas model).
const BUCKETS: [u64; 8] = [MINIMUM_UNITS, 5_000, 10_000, 20_000, 50_000, 200_000, 1_000_000, 5_000_000];

/// Interpreter steps for one gas unit.
const STEPS_PER_UNIT: u64 = 10;

/// Gas units per byte published: parsing and checking grow with it.
const UNITS_PER_PUBLISHED_BYTE: u64 = 1;

/// Storage price: 100 units per byte, 76 MIST per unit.
const MIST_PER_BYTE: u64 = 100 * 76;

/// Share of the rebate that comes back, in 1/10 000.
const REBATE_RATE: u128 = 9_900;

/// Steps that the budget pays for, at most `limit`.
pub(super) fn affordable_steps(price: u64, budget: u64, limit: u64) -> u64 {
    let units = (budget / price.max(1)).min(BUCKETS[BUCKETS.len() - 1]);
    units.saturating_mul(STEPS_PER_UNIT).min(limit)
}

/// Cost of computation in MIST, never above the budget.
pub(super) fn computation_cost(steps: u64, published_bytes: u64, price: u64, budget: u64) -> u64 {
    let units = steps.div_ceil(STEPS_PER_UNIT).saturating_add(published_bytes * UNITS_PER_PUBLISHED_BYTE);
    let last = BUCKETS[BUCKETS.len() - 1];
    let bucket = BUCKETS.into_iter().find(|bucket| units <= *bucket).unwrap_or(last);
    bucket.saturating_mul(price).min(budget)
}

/// What storing the object costs; this becomes its rebate.
pub(super) fn storage_cost(object: &Object) -> u64 {
    let bytes = bcs::serialized_size(object).unwrap_or(usize::MAX) as u64;
    bytes.saturating_mul(MIST_PER_BYTE)
}

/// The summary for the cost of computation and storage, and the rebates of all objects changed or deleted.
pub(super) fn summary(computation_cost: u64, storage_cost: u64, rebates: u64) -> GasCostSummary {
    let back = u64::try_from((u128::from(rebates) * REBATE_RATE + 5_000) / 10_000).unwrap_or(rebates);
    GasCostSummary::new(computation_cost, storage_cost, back, rebates - back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computation_is_rounded_up_into_buckets_and_capped_by_the_budget() {
        assert_eq!(computation_cost(0, 0, 1_000, u64::MAX), 1_000_000);
        assert_eq!(computation_cost(10_000, 0, 1_000, u64::MAX), 1_000_000);
        assert_eq!(computation_cost(10_001, 0, 1_000, u64::MAX), 5_000_000);
        assert_eq!(computation_cost(u64::MAX, 0, 1_000, u64::MAX), 5_000_000_000);
        assert_eq!(computation_cost(u64::MAX, 0, 1_000, 7), 7);
        assert_eq!(computation_cost(0, 4_000, 1, u64::MAX), 5_000);
    }

    #[test]
    fn one_percent_of_a_rebate_stays_with_the_chain_and_nothing_is_lost() {
        for rebates in [0, 1, 49, 50, 99, 100, 12_345_678, u64::MAX] {
            let summary = summary(0, 0, rebates);
            assert_eq!(summary.storage_rebate + summary.non_refundable_storage_fee, rebates);
        }
        assert_eq!(summary(0, 0, 1_000_000).storage_rebate, 990_000);
    }

    #[test]
    fn the_budget_bounds_the_steps() {
        assert_eq!(affordable_steps(1_000, 1_000_000, u64::MAX), 10_000);
        assert_eq!(affordable_steps(1_000, 1_000_000, 7), 7);
        assert_eq!(affordable_steps(0, u64::MAX, u64::MAX), 50_000_000);
    }
}
