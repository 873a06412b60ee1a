//! Derives seeds from seeds.

/// Returns the seed of one run of an exploration (splitmix64).
pub fn seed_of(base: u64, run: u64) -> u64 {
    let mut z = base.wrapping_add(run.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
