/// Sums and shares that cannot overflow.
module k3s_daas::arithmetic;

/// Basis points in a whole.
const WHOLE_BPS: u128 = 10_000;
const MAX_U64: u64 = 18_446_744_073_709_551_615;

/// `bps` of `amount`, rounded down. A share above the whole counts as the whole.
public(package) fun share_of(amount: u64, bps: u64): u64 {
    if ((bps as u128) >= WHOLE_BPS) return amount;
    (((amount as u128) * (bps as u128) / WHOLE_BPS) as u64)
}

/// The instant `ms` after `now`; the end of time when there is none so late.
public(package) fun later(now: u64, ms: u64): u64 {
    if (ms > MAX_U64 - now) MAX_U64 else now + ms
}

/// Whether `a + b` is a `u64`.
public(package) fun fits(a: u64, b: u64): bool {
    b <= MAX_U64 - a
}

public(package) fun min(a: u64, b: u64): u64 {
    if (a < b) a else b
}
