//! What is allocated, and what is given back: counted, for each thread, by the allocator.

#[macro_use]
#[path = "it/support/mod.rs"]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: it hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get() - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many allocations `run` makes.
fn allocations<R>(run: impl FnOnce() -> R) -> usize {
    let before = ALLOCATIONS.get();
    let result = run();
    let made = ALLOCATIONS.get() - before;
    drop(result);
    made
}

/// The heap this thread uses.
fn heap() -> isize {
    BYTES.get()
}

both_flavors! {
    struct Owner(u64);
    impl Owner {
        fn on(&self, _: &u32) {}
        fn give(&self, n: &u32) -> u64 {
            self.0 + u64::from(*n)
        }
    }

    fn owners(n: u64) -> Vec<Strong<Owner>> {
        (0..n).map(|i| Strong::new(Owner(i))).collect()
    }

    #[test]
    fn a_signal_is_one_pointer_wide_and_unconnected_owns_no_heap() {
        let word = size_of::<*const ()>();
        assert_eq!(size_of::<Signal<u32>>(), word);
        assert_eq!(size_of::<Signal<str, String>>(), word);
        assert_eq!(size_of::<Signal<dyn std::fmt::Debug>>(), word);
        let made = allocations(|| {
            let signal: Signal<u32> = Signal::new();
            assert_eq!(signal.emit(&1), 0);
            assert_eq!(signal.call(&1).count(), 0);
            assert!(signal.is_empty() && signal.try_emit(&1).is_ok());
            signal
        });
        assert_eq!(made, 0);
    }

    #[test]
    fn emitting_allocates_nothing() {
        let signal: Signal<u32, u64> = Signal::new();
        let owners = owners(1000);
        let exclusive = Strong::new(Exclusive::new(0_u64));
        for owner in &owners {
            signal.connect(owner, Owner::give);
        }
        let n = 3;
        signal.connect(&owners[0], move |_, _| n);
        signal.connect_mut(&exclusive, |sum, n| {
            *sum += u64::from(*n);
            *sum
        });
        let guard = signal.connect_fn(|_| 5);
        signal.slot().times(1000).connect(&owners[0], Owner::give);
        let block = guard.block();
        signal.emit(&0);
        assert_eq!(allocations(|| assert_eq!(signal.emit(&1), 1003)), 0);
        assert_eq!(allocations(|| assert_eq!(signal.call(&1).count(), 1003)), 0);
        assert_eq!(allocations(|| signal.call(&1).take(7).map(drop).count()), 0);
        assert_eq!(allocations(|| signal.try_emit(&1).is_ok()), 0);
        drop(block);
        assert_eq!(allocations(|| assert_eq!(signal.emit(&1), 1004)), 0);
    }

    #[test]
    fn an_emission_that_finds_dead_owners_and_used_up_slots_allocates_nothing() {
        let signal: Signal<u32> = Signal::new();
        let mut owners = owners(1000);
        for owner in &owners {
            signal.connect(owner, Owner::on);
            signal.slot().once().connect(owner, Owner::on);
        }
        // A thread may allocate when it first calls a tracked owner.
        let first: Signal<u32> = Signal::new();
        first.connect(&owners[0], Owner::on);
        first.emit(&1);
        owners.truncate(100);
        assert_eq!(allocations(|| assert_eq!(signal.emit(&1), 200)), 0);
        assert_eq!(allocations(|| assert_eq!(signal.emit(&1), 100)), 0);
    }

    #[test]
    fn emissions_nested_as_deep_as_before_allocate_nothing() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new(Strong::downgrade(&signal));
        signal.connect(&owner, |signal, n| {
            if *n > 0 {
                signal.upgrade().unwrap().emit(&(n - 1));
            }
        });
        // A thread may allocate when it first calls a tracked owner.
        signal.emit(&0);
        for depth in [1, 4, 100] {
            signal.emit(&depth);
            assert_eq!(allocations(|| signal.emit(&depth)), 0, "the room for {depth} is kept");
        }
    }

    #[test]
    fn connecting_a_method_path_allocates_only_amortised_growth() {
        let signal: Signal<u32> = Signal::new();
        let owners = owners(10_000);
        let made = allocations(|| {
            for owner in &owners {
                signal.connect(owner, Owner::on);
            }
        });
        assert!(made < 60, "{made} allocations for 10,000 connections");
        let before = heap();
        let made = allocations(|| {
            for _ in 0..100 {
                signal.connect(&owners[0], Owner::on).disconnect();
                signal.connect(&owners[0], |owner, n| owner.on(n)).disconnect();
            }
        });
        assert!(made <= 1, "{made} allocations for 200 connections that came and went");
        assert!(heap() - before <= 0);
    }

    #[test]
    fn a_mutable_method_path_takes_no_box_either() {
        let signal: Signal<u32> = Signal::new();
        let sum = Strong::new(Exclusive::new(0_u32));
        fn add(sum: &mut u32, n: &u32) {
            *sum += n;
        }
        for _ in 0..20 {
            signal.connect_mut(&sum, add);
        }
        signal.disconnect_all();
        assert_eq!(allocations(|| signal.connect_mut(&sum, add)), 0);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_signal_with_few_slots_takes_little_heap() {
        let is_local = module_path!().ends_with("local");
        let most = if is_local { [160, 288, 840] } else { [256, 384, 1_000] };
        let owners = owners(10);
        for (slots, most) in [1, 3, 10].into_iter().zip(most) {
            let before = heap();
            let signal: Signal<u32> = Signal::new();
            let connect =
                || owners[..slots].iter().for_each(|owner| drop(signal.connect(owner, Owner::on)));
            let made = allocations(connect);
            let bytes = heap() - before;
            assert!(bytes <= most, "{bytes} bytes for {slots}, not {most}");
            assert!(slots > 1 || made == 2, "{made} allocations");
            let one_less = heap();
            signal.connect(&owners[0], move |_, n| _ = n + made as u32);
            let more = heap() - one_less;
            assert!(more <= 128, "{more} bytes for a capturing method more, beside {slots}");
            drop(signal);
            assert_eq!(heap(), before);
        }
    }

    #[test]
    fn a_connection_takes_at_most_64_bytes_of_heap() {
        let owners = owners(10_000);
        for n in [1000, 5000, 7000, 10_000] {
            let before = heap();
            let signal: Signal<u32> = Signal::new();
            for owner in &owners[..n] {
                signal.connect(owner, Owner::on);
            }
            let each = (heap() - before) as f64 / n as f64;
            assert!(each <= 64.0, "{each} bytes for each of {n} connections");
            drop(signal);
            assert_eq!(heap(), before);
        }
    }

    #[test]
    fn a_signal_that_once_had_many_slots_stays_proportional_to_those_that_live_now() {
        type End = fn(&Signal<u32>, Vec<Strong<Owner>>, Vec<Connection>);
        let end: [End; 4] = [
            |signal, _, _| assert_eq!(signal.disconnect_all(), 4_000),
            |_, _, connections| connections.iter().for_each(|it| assert!(it.disconnect())),
            |signal, owners, _| {
                drop(owners);
                assert_eq!(signal.emit(&1), 0);
            },
            |signal, owners, _| {
                owners.iter().for_each(|it| assert_eq!(signal.disconnect_owner(it), 1));
            },
        ];
        for end in end {
            let signal: Signal<u32> = Signal::new();
            let many = owners(4_000);
            let connections = many.iter().map(|owner| signal.connect(owner, Owner::on)).collect();
            end(&signal, many, connections);
            let kept = Strong::new(Owner(0));
            signal.connect(&kept, Owner::on);
            let before = heap();
            for _ in 0..1_000 {
                let owner = Strong::new([0_u8; 4_096]);
                signal.connect(&owner, |_, _| ());
            }
            assert!(heap() - before < 200_000, "{} bytes", heap() - before);
            drop(kept);
        }
    }

    #[test]
    fn the_list_of_a_signal_shrinks_after_emissions_have_pruned_it() {
        let signal: Signal<u32> = Signal::new();
        let many = owners(20_000);
        many.iter().for_each(|owner| _ = signal.connect(owner, Owner::on));
        let full = heap();
        drop(many);
        assert_eq!(signal.emit(&1), 0);
        let owner = Strong::new(Owner(0));
        signal.connect(&owner, Owner::on);
        // 32 bytes a slot were in the list, and 8 stay in the slotmap.
        assert!(full - heap() >= 20_000 * 32, "{} bytes", full - heap());
    }

    #[test]
    fn a_signal_that_never_emits_stays_proportional_to_its_live_slots() {
        let signal: Signal<u32> = Signal::new();
        let kept = owners(10);
        for owner in &kept {
            signal.connect(owner, Owner::on);
        }
        let (before, n) = (heap(), 1);
        for i in 0..100_000 {
            let owner = Strong::new(Owner(i));
            signal.connect(&owner, Owner::on);
            if i % 100 == 0 {
                signal.connect(&owner, move |_, _| _ = n);
            }
        }
        let grown = heap() - before;
        assert!(grown < 8 * 1024, "{grown} bytes more after 100,000 owners came and went");
        assert_eq!(signal.emit(&1), 10);
    }

    #[test]
    fn dead_owners_give_their_memory_back_when_the_signal_emits_or_is_pruned() {
        struct Large(#[allow(dead_code)] [u8; 10_000]);
        let signal: Signal<u32> = Signal::new();
        let connect = || {
            for _ in 0..8 {
                signal.connect(&Strong::new(Large([0; 10_000])), |_, _| ());
            }
        };
        connect();
        signal.disconnect_all();
        let before = heap();
        connect();
        assert!(heap() - before > 80_000, "a weak pointer keeps the allocation");
        signal.emit(&1);
        assert!(heap() - before < 1000);
        connect();
        assert_eq!(signal.prune(), 8);
        assert!(heap() - before < 1000);
        connect();
        let _ = signal.call(&1).next();
        assert!(heap() - before < 1000);
    }

    #[test]
    fn a_disconnected_slot_lets_go_of_its_owner_at_once() {
        let signal: Signal<u32> = Signal::new();
        let owners = owners(3);
        let connections: Vec<_> = owners.iter().map(|o| signal.connect(o, Owner::on)).collect();
        assert!(connections[0].disconnect());
        assert_eq!(Strong::weak_count(&owners[0]), 0);
        let emission = signal.call(&0);
        connections[1].disconnect();
        drop(emission);
        assert_eq!(Strong::weak_count(&owners[1]), 0, "after the emission that was in the way");
        signal.disconnect_owner(&owners[2]);
        assert_eq!(Strong::weak_count(&owners[2]), 0);
    }

    #[test]
    fn what_was_disconnected_under_a_shared_list_is_let_go_of_also_when_the_list_is_replaced() {
        let signal: Signal<u32> = Signal::new();
        let owners = owners(6);
        let connections: Vec<_> = owners.iter().map(|o| signal.connect(o, Owner::on)).collect();
        let emission = signal.call(&0);
        connections[0].disconnect();
        signal.connect(&owners[5], Owner::on);
        drop(emission);
        assert_eq!(Strong::weak_count(&owners[0]), 0);
    }

    #[test]
    fn dead_slots_that_a_connect_pruned_are_let_go_of_at_once() {
        struct Large(#[allow(dead_code)] [u8; 10_000]);
        let signal: Signal<u32> = Signal::new();
        let kept = owners(40);
        let before = heap();
        for owner in &kept {
            signal.connect(&Strong::new(Large([0; 10_000])), |_, _| ());
            signal.connect(owner, Owner::on);
        }
        assert!(heap() - before < 25 * 10_000, "{}", heap() - before);
    }

    #[test]
    fn many_slots_that_are_gone_give_the_room_of_the_list_back() {
        let signal: Signal<u32> = Signal::new();
        let before = heap();
        let many = owners(10_000);
        for owner in &many {
            signal.connect(owner, Owner::on);
        }
        let owners_only = 10_000 * (size_of::<Owner>() + 2 * size_of::<usize>()) as isize;
        drop(many);
        signal.prune();
        let left = heap() - before;
        assert!(left < 10_000 * 16, "{left} bytes left of {owners_only} and more");
    }

    #[test]
    fn leaked_emissions_keep_a_list_each_and_nothing_else() {
        let signal: Signal<u32> = Signal::new();
        let kept = owners(10);
        for owner in &kept {
            signal.connect(owner, Owner::on);
        }
        std::mem::forget(signal.call(&1));
        signal.connect(&kept[0], Owner::on);
        let before = heap();
        for i in 0..10_000 {
            let owner = Strong::new(Owner(i));
            signal.connect(&owner, Owner::on);
            signal.emit(&1);
        }
        let grown = heap() - before;
        assert!(grown < 8 * 1024, "{grown} bytes more after one leaked emission");
        assert_eq!(signal.emit(&1), 11);
    }

    #[test]
    fn everything_is_given_back_when_the_signal_is_dropped() {
        let before = heap();
        {
            let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
            let owners = owners(50);
            let n = 1;
            for owner in &owners {
                signal.connect(owner, Owner::on);
                signal.connect(owner, move |_, _| _ = n);
                signal.connect_fn(move |_| _ = n).detach();
                signal.slot().once().connect_extended(owner, |_, c, _| _ = c.disconnect());
                signal.connect_weak(WeakMethod::new(owner, move |_: &Owner, _: &u32| _ = n));
            }
            let again = Strong::downgrade(&signal);
            signal.connect(&owners[0], move |_, n| {
                if *n > 0 {
                    again.upgrade().unwrap().emit(&(n - 1));
                }
            });
            signal.emit(&20);
        }
        assert_eq!(heap(), before);
    }

    #[cfg(feature = "async")]
    mod asynchronous {
        use super::*;
        use futures::future::{FutureExt, ready};
        use futures::stream::StreamExt;
        use std::task::{Context, Waker};

        /// Is there when it has been waited for once.
        async fn later() {
            let mut again = false;
            futures::future::poll_fn(|_| match std::mem::replace(&mut again, true) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            })
            .await;
        }

        impl Owner {
            async fn soon(&self, _: &u32) {}
            async fn later(&self, _: &u32) {
                later().await;
            }
        }

        /// Polls to the end, whoever is woken.
        fn finish<F: Future>(future: F) -> F::Output {
            let mut future = std::pin::pin!(future);
            loop {
                let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if let std::task::Poll::Ready(output) = polled {
                    return output;
                }
            }
        }

        #[test]
        fn an_asynchronous_emission_without_slots_allocates_nothing() {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let emit_all = || {
                assert_eq!(finish(signal.emit(&1)), 0);
                assert_eq!(finish(signal.emit_concurrent(&1)), 0);
                assert_eq!(finish(signal.call(&1).count()), 0);
                assert_eq!(finish(signal.call_concurrent(&1).count()), 0);
                assert_eq!(finish(signal.try_emit(&1)).unwrap(), 0);
            };
            assert_eq!(allocations(emit_all), 0);
            let owner = Strong::new(Owner(1));
            signal.connect(&owner, Owner::soon).disconnect();
            assert_eq!(allocations(emit_all), 0);
        }

        #[test]
        fn an_asynchronous_emission_allocates_once_for_all_its_handlers() {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let owners = owners(1000);
            for owner in &owners {
                signal.connect(owner, Owner::soon);
                signal.connect(owner, Owner::later);
            }
            finish(signal.emit(&1));
            let made = allocations(|| assert_eq!(finish(signal.emit(&1)), 2000));
            assert!(made <= 2, "{made}");
            let made = allocations(|| assert_eq!(finish(signal.call(&1).count()), 2000));
            assert!(made <= 2, "{made}");
            let made = allocations(|| assert_eq!(finish(signal.try_emit(&1)).unwrap(), 2000));
            assert!(made <= 2, "{made}");
        }

        #[test]
        fn concurrent_handlers_that_are_ready_at_once_allocate_nothing_each() {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let owners = owners(1000);
            for owner in &owners {
                signal.connect(owner, Owner::soon);
            }
            finish(signal.emit_concurrent(&1));
            let made = allocations(|| assert_eq!(finish(signal.emit_concurrent(&1)), 1000));
            assert!(made <= 2, "{made}");
            signal.disconnect_all();
            for owner in &owners {
                signal.connect(owner, Owner::later);
            }
            let made = allocations(|| assert_eq!(finish(signal.emit_concurrent(&1)), 1000));
            assert!(made <= 2004, "{made}: two each");
        }

        #[test]
        fn a_few_concurrent_handlers_that_wait_allocate_once_each_and_little_for_all() {
            for (handlers, most) in [(1, 0), (2, 2), (4, 4), (10, 11), (30, 31)] {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let owners = owners(handlers);
                for owner in &owners {
                    signal.connect(owner, Owner::later);
                }
                finish(signal.emit_concurrent(&1));
                let made =
                    allocations(|| assert_eq!(finish(signal.emit_concurrent(&1)), owners.len()));
                assert!(made <= most, "{made} of {handlers}");
            }
        }

        #[test]
        fn a_few_concurrent_handlers_that_wait_take_room_for_no_more_than_twice_as_many() {
            let bytes = |handlers| {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let owners = owners(handlers);
                for owner in &owners {
                    signal.connect(owner, Owner::later);
                }
                finish(signal.emit_concurrent(&1));
                let mut emission = Box::pin(signal.emit_concurrent(&1));
                let before = heap();
                let context = &mut Context::from_waker(Waker::noop());
                assert!(emission.as_mut().poll(context).is_pending());
                heap() - before
            };
            assert!(bytes(2) <= bytes(30) / 10, "{} and {}", bytes(2), bytes(30));
        }

        #[test]
        fn handlers_of_differing_sizes_and_alignments_do_not_take_turns_in_allocating() {
            #[repr(align(64))]
            struct Aligned(u8);
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let owner = Strong::new(Owner(1));
            for _ in 0..100 {
                signal.connect(&owner, async |_: &Owner, n: &u32| {
                    let large = [*n as u8; 1000];
                    later().await;
                    large.iter().map(|n| usize::from(*n)).sum()
                });
                signal.connect(&owner, async |_: &Owner, n: &u32| {
                    let aligned = Aligned(*n as u8);
                    later().await;
                    usize::from(aligned.0)
                });
                signal.connect(&owner, |_: &Owner, _: &u32| ready(3));
            }
            let made = allocations(|| assert_eq!(finish(signal.emit(&1)), 300));
            assert!(made <= 2, "{made}");
        }

        #[test]
        fn emissions_that_are_dropped_half_way_give_everything_back() {
            // But for the room for a future that each thread keeps.
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let owner = Strong::new(Owner(1));
            signal.connect(&owner, Owner::soon);
            finish(signal.emit(&1));
            drop((signal, owner));
            let before = heap();
            {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let mut owners = owners(20);
                for (place, owner) in owners.iter().enumerate() {
                    signal.connect(owner, Owner::soon);
                    signal.slot().times(place + 1).name("n").connect(owner, Owner::later);
                    signal.connect_fn(|_: &u32| later()).detach();
                    signal.connect_sync(owner, Owner::on);
                }
                // The threads' and the signal's own room is made now, and kept.
                finish(signal.emit(&1));
                for polls in 0..20 {
                    let (mut a, mut b) = (signal.emit(&1), signal.emit_concurrent(&1));
                    let (mut c, mut d) = (signal.call(&1), signal.call_concurrent(&1));
                    let mut e = signal.try_emit(&1);
                    for _ in 0..polls {
                        let context = &mut Context::from_waker(Waker::noop());
                        let _ = (a.poll_unpin(context), c.poll_next_unpin(context));
                        let _ = e.poll_unpin(context);
                        if polls == 1 {
                            let _ = (b.poll_unpin(context), d.poll_next_unpin(context));
                        }
                    }
                    owners.pop();
                }
            }
            assert_eq!(heap(), before);
        }

        #[test]
        fn an_asynchronous_connection_of_a_method_path_takes_no_box() {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let owner = Strong::new(Owner(1));
            for _ in 0..20 {
                signal.connect(&owner, Owner::soon);
            }
            signal.disconnect_all();
            let connect = || {
                signal.connect(&owner, Owner::soon);
                signal.connect_sync(&owner, Owner::on);
                signal.connect(&owner, async |_: &Owner, _: &u32| ());
            };
            connect();
            signal.disconnect_all();
            assert_eq!(allocations(connect), 0);
        }

        /// An event of 1 KiB.
        type Large = [u64; 128];

        /// Begins an emission that waits for room.
        fn begin<'a>(
            signal: &'a AsyncSignal<Large>,
            event: &'a Large,
        ) -> std::pin::Pin<Box<dyn Future<Output = usize> + 'a>> {
            let mut emission = Box::pin(signal.emit(event));
            assert!((&mut emission).now_or_never().is_none());
            emission
        }

        #[test]
        fn what_dropped_emissions_leave_in_a_stream_does_not_grow_with_their_number() {
            // How many emissions go on waiting, and which one of those is replaced in each turn.
            for (waiting, replaced) in [(1, 0), (2, 0), (2, 1), (20, 0), (20, 7), (20, 19)] {
                let signal: AsyncSignal<Large> = AsyncSignal::new();
                let mut stream = signal.stream(1, sigwire::Backpressure);
                let event = [1; 128];
                finish(signal.emit(&event));
                let mut emissions: Vec<_> = (0..waiting).map(|_| begin(&signal, &event)).collect();
                let mut heaps = [100, 10_000].map(|turns| {
                    for _ in 0..turns {
                        emissions.push(begin(&signal, &event));
                        drop(emissions.remove(replaced));
                    }
                    heap()
                });
                // A node of the tree, or two, may be more or less full.
                heaps.sort();
                assert!(heaps[1] - heaps[0] <= 64 << 10, "{heaps:?} with {waiting}, {replaced}");
                let mut events = 0;
                let mut lost = 0;
                while let Some(Some(item)) = stream.next().now_or_never() {
                    match item {
                        Ok(_) => events += 1,
                        Err(sigwire::Lagged(n)) => lost += n,
                    }
                }
                assert_eq!((events, lost, stream.missed()), (1 + waiting, 10_100, 10_100));
            }
        }

        #[test]
        fn what_many_waiting_emissions_take_is_given_back_when_all_but_one_are_dropped() {
            let signal: AsyncSignal<Large> = AsyncSignal::new();
            let stream = signal.stream(1, sigwire::Backpressure);
            let event = [1; 128];
            finish(signal.emit(&event));
            let before = heap();
            for left in [0, 500, 999] {
                let mut emissions: Vec<_> = (0..1_000).map(|_| begin(&signal, &event)).collect();
                assert!(heap() - before > 1_000 << 10);
                emissions.swap(0, left);
                emissions.truncate(1);
                emissions.shrink_to_fit();
                assert!(heap() - before < 32 << 10, "{} bytes for one event", heap() - before);
            }
            assert_eq!(stream.missed(), 3 * 1_000);
        }

        #[cfg(feature = "tokio")]
        #[test]
        fn an_unread_stream_holds_no_more_than_the_emissions_that_wait_for_their_deadline() {
            use std::time::Duration;
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
                let signal: AsyncSignal<Large> = AsyncSignal::new();
                let options = signal.slot().timeout(Duration::from_millis(10));
                let stream = options.stream(1, sigwire::Backpressure);
                let event = [1; 128];
                let mut emissions = futures::stream::FuturesUnordered::new();
                let mut heaps = Vec::new();
                for turn in 0..4_000 {
                    emissions.push(signal.emit(&event));
                    while let Some(Some(_)) = emissions.next().now_or_never() {}
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    if turn % 1_000 == 100 {
                        heaps.push(heap());
                    }
                }
                assert!(emissions.len() < 20 && stream.missed() > 3_900);
                let (least, most) = (heaps.iter().min().unwrap(), heaps.iter().max().unwrap());
                assert!(most - least <= 64 << 10, "{heaps:?}");
            });
        }
    }
}

#[test]
fn a_queue_that_has_grown_allocates_nothing_for_an_event() {
    fn check(owners: usize, connect: impl Fn(&sigwire::Signal<u32>), run: impl Fn() -> usize) {
        let signal = sigwire::Signal::new();
        connect(&signal);
        let turn = || {
            (0..300).for_each(|n| _ = signal.emit(&n));
            assert_eq!(run(), 300 * owners);
        };
        turn();
        turn();
        assert_eq!(allocations(|| (0..10).for_each(|_| turn())), 0);
    }
    let queue = sigwire::Queue::default();
    let owners: Vec<_> = (0..3).map(std::sync::Arc::new).collect();
    let connect = |signal: &sigwire::Signal<u32>| {
        owners.iter().for_each(|owner| _ = signal.slot().on(&queue).connect(owner, |_, _| ()));
    };
    check(3, connect, || queue.run().called);

    let queue = sigwire::LocalQueue::default();
    let owners: Vec<_> = (0..3).map(std::rc::Rc::new).collect();
    let connect = |signal: &sigwire::Signal<u32>| {
        owners.iter().for_each(|owner| _ = signal.slot().on(&queue).connect(owner, |_, _| ()));
    };
    check(3, connect, || queue.run().called);
}

#[test]
fn everything_is_given_back_when_a_queue_and_its_signals_are_dropped() {
    let before = heap();
    for signal_first in [true, false] {
        let (signal, queue) = (sigwire::Signal::<u32>::new(), sigwire::LocalQueue::new(|| ()));
        let owner = std::rc::Rc::new(std::cell::RefCell::new(vec![]));
        let kept = [1, 2, 3];
        signal.slot().on(&queue).connect_mut(&owner, move |all, n| all.push(n + kept[0]));
        signal.slot().once().on(&queue).connect(&owner, |_, _| ());
        (0..10).for_each(|n| _ = signal.emit(&n));
        queue.run_max(3);
        if signal_first {
            drop(signal);
            queue.run();
        } else {
            drop(queue);
            signal.emit(&1);
        }
    }
    assert_eq!(heap(), before);
}
