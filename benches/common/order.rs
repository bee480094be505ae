//! Visits many objects in an order that the CPU cannot predict.

/// The same order each time.
pub(crate) fn shuffled(count: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    let mut random = 1_u64;
    for last in (1..order.len()).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(last, (random >> 33) as usize % (last + 1));
    }
    order
}

/// Padding between objects that are allocated one by one, so that no two share a cache line.
pub(crate) type Spacer = Box<[u8; 64]>;
