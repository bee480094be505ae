//! Room for the futures.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn futures_of_all_sizes_and_alignments_share_one_room() {
            let signal: AsyncSignal<u32, Held> = AsyncSignal::new();
            let owner = Strong::new(5_u8);
            for _ in 0..2 {
                signal.connect(&owner, async |owner: &u8, _: &u32| {
                    held(Aligned64([*owner; 64])).await
                });
                signal.connect(&owner, async |owner: &u8, _: &u32| held([*owner; 10_000]).await);
                signal.connect(&owner, |_: &u8, _: &u32| ready(Held::new::<()>()));
                signal.connect(&owner, async |owner: &u8, _: &u32| {
                    held(Aligned128([*owner; 128])).await
                });
                signal.connect(&owner, async |_: &u8, _: &u32| held(()).await);
                signal.connect(&owner, async |owner: &u8, _: &u32| held([*owner; 3]).await);
                signal.connect_sync(&owner, |_, _| Held::new::<u8>());
            }
            let sizes = |results: Vec<Held>| {
                results.into_iter().map(|result| (result.size, result.align)).collect::<Vec<_>>()
            };
            let one = [(64, 64), (10_000, 1), (0, 1), (128, 128), (0, 1), (3, 1), (1, 1)];
            let all = sizes(signal.call(&1).collect().await);
            assert_eq!(all, one.repeat(2));
            let mut all = sizes(signal.call_concurrent(&1).collect().await);
            all.sort_unstable();
            let mut sorted = one.repeat(2);
            sorted.sort_unstable();
            assert_eq!(all, sorted);
        }
    }
}
