//! What may cross threads and unwinding, for each public type. Checked by the compiler.

#![allow(dead_code)]

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

/// Says at compile time whether a type implements a trait: `No` where it does not.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        trait No {
            const YES: bool = false;
        }
        impl<T: ?Sized> No for T {}
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const YES: bool = true;
        }
        <Probe<$type>>::YES
    }};
}

/// An event and a result that are neither `Send` nor `Sync` nor `UnwindSafe`.
type Bare = Rc<Cell<u8>>;

macro_rules! threaded {
    ($($type:ty),* $(,)?) => {$(
        const _: () = {
            assert!(implements!($type: Send));
            assert!(implements!($type: Sync));
            assert!(implements!($type: Unpin));
            assert!(implements!($type: UnwindSafe));
            assert!(implements!($type: RefUnwindSafe));
        };
    )*};
}

macro_rules! local {
    ($($type:ty),* $(,)?) => {$(
        const _: () = {
            assert!(!implements!($type: Send));
            assert!(!implements!($type: Sync));
            assert!(implements!($type: Unpin));
            assert!(implements!($type: UnwindSafe));
            assert!(implements!($type: RefUnwindSafe));
        };
    )*};
}

threaded!(
    sigwire::Signal<Bare, Bare>,
    sigwire::Source<Bare, Bare>,
    sigwire::Signal<dyn Fn()>,
    sigwire::SlotOptions<'static, Bare, Bare>,
    sigwire::Connection,
    sigwire::ScopedConnection,
    sigwire::ConnectionSet,
    sigwire::ScopedConnectionSet,
    sigwire::Block,
    sigwire::WeakMethod<Bare, Bare>,
    sigwire::HazardArc<u8>,
    sigwire::WeakHazardArc<u8>,
    sigwire::BoundMethod<Bare, Bare>,
    sigwire::EmitError,
    sigwire::SlotFailure,
    sigwire::WaitError,
);

local!(
    sigwire::local::Signal<u8, u8>,
    sigwire::local::Source<u8, u8>,
    sigwire::local::SlotOptions<'static, u8, u8>,
    sigwire::local::Connection,
    sigwire::local::ScopedConnection,
    sigwire::local::ConnectionSet,
    sigwire::local::ScopedConnectionSet,
    sigwire::local::Block,
    sigwire::local::WeakMethod<u8, u8>,
    sigwire::local::BoundMethod<u8, u8>,
    sigwire::local::EmitError,
    sigwire::local::SlotFailure,
);

// An emission refers to its event, and so is what a reference to the event is.
const _: () = {
    assert!(implements!(sigwire::Emission<'static, u8, Bare>: Send));
    assert!(implements!(sigwire::Emission<'static, u8, Bare>: Sync));
    assert!(!implements!(sigwire::Emission<'static, Bare>: Send));
    assert!(implements!(sigwire::Emission<'static, Bare>: Unpin));
    assert!(implements!(sigwire::Emission<'static, u8, Bare>: UnwindSafe));
    assert!(!implements!(sigwire::Emission<'static, Bare>: UnwindSafe));
    assert!(!implements!(sigwire::local::Emission<'static, u8>: Send));
    assert!(implements!(sigwire::local::Emission<'static, u8>: UnwindSafe));
};

// What a stream holds goes to whoever takes it; nobody else sees it.
#[cfg(feature = "async")]
mod streams {
    use super::*;

    threaded!(
        sigwire::EventStream<Cell<u8>>,
        sigwire::NextEvent<Cell<u8>>,
        sigwire::Overflow,
        sigwire::Lagged,
    );
    local!(sigwire::local::EventStream<Bare>, sigwire::local::NextEvent<Bare>);

    const _: () = {
        assert!(!implements!(sigwire::EventStream<Bare>: Send));
        assert!(!implements!(sigwire::NextEvent<Bare>: Sync));
        assert!(implements!(sigwire::EventStream<Bare>: UnwindSafe));
    };

    fn next_is_send(stream: &mut sigwire::EventStream<Cell<u8>>) -> impl Send {
        stream.next()
    }
}

/// Everything above was decided when this was compiled; here is only what a test runner counts.
#[test]
fn a_signal_can_be_emitted_after_a_panic_was_caught_around_it() {
    let signal: sigwire::Signal<u8> = sigwire::Signal::new();
    let owner = std::sync::Arc::new(());
    signal.connect(&owner, |_, n| assert!(*n > 0));
    assert!(std::panic::catch_unwind(|| signal.emit(&0)).is_err());
    assert_eq!(signal.emit(&1), 1);
}

/// An event that is `Send` and no more.
type Sent = Cell<u8>;

threaded!(
    sigwire::Queue,
    sigwire::generic::Drive<'static, sigwire::generic::Shared>,
    sigwire::generic::QueuedSlot<'static, Sent, sigwire::generic::Shared>,
    sigwire::RunReport,
    sigwire::Edges,
    sigwire::Overflow,
);

local!(
    sigwire::LocalQueue,
    sigwire::generic::Drive<'static, sigwire::generic::Local>,
    sigwire::generic::QueuedSlot<'static, Sent, sigwire::generic::Local>,
);

const _: () = {
    assert!(!implements!(sigwire::HazardArc<Bare>: Send));
    assert!(!implements!(sigwire::HazardArc<Bare>: Sync));
    assert!(!implements!(sigwire::HazardArc<Cell<u8>>: Send));
    assert!(!implements!(sigwire::HazardArc<Cell<u8>>: UnwindSafe));
    assert!(!implements!(sigwire::WeakHazardArc<Bare>: Send));
    assert!(!implements!(sigwire::WeakHazardArc<Cell<u8>>: Sync));
};

#[cfg(feature = "async")]
mod asynchronous {
    use super::*;
    use sigwire::generic::*;

    threaded!(
        sigwire::AsyncSignal<Bare, Bare>,
        sigwire::AsyncSource<Bare, Bare>,
        sigwire::AsyncSlotOptions<'static, Bare, Bare>,
        sigwire::EmitError,
        sigwire::SlotFailure,
        sigwire::Failure,
    );

    local!(
        sigwire::local::AsyncSignal<u8, u8>,
        sigwire::local::AsyncSource<u8, u8>,
        sigwire::local::AsyncSlotOptions<'static, u8, u8>,
        sigwire::local::EmitError,
        sigwire::local::SlotFailure,
    );

    /// Emissions that hold no results: `Send` when the event can be shared.
    macro_rules! emissions {
        ($($emission:ident),*) => {$(
            const _: () = {
                assert!(implements!($emission<'static, u8, Bare, Shared>: Send));
                assert!(implements!($emission<'static, u8, Bare, Shared>: Unpin));
                assert!(implements!($emission<'static, dyn Fn() + Sync, Bare, Shared>: Send));
                assert!(!implements!($emission<'static, Bare, u8, Shared>: Send));
                assert!(!implements!($emission<'static, Cell<u8>, u8, Shared>: Send));
                assert!(!implements!($emission<'static, u8, u8, Local>: Send));
                assert!(!implements!($emission<'static, u8, u8, Local>: Sync));
                assert!(implements!($emission<'static, Bare, Bare, Local>: Unpin));
            };
        )*};
    }
    emissions!(Emit, AsyncEmission, TryEmit, EmitConcurrent);

    // This one keeps results that are there already.
    const _: () = {
        assert!(implements!(ConcurrentEmission<'static, u8, Cell<u8>, Shared>: Send));
        assert!(!implements!(ConcurrentEmission<'static, u8, Bare, Shared>: Send));
        assert!(!implements!(ConcurrentEmission<'static, Bare, u8, Shared>: Send));
        assert!(!implements!(ConcurrentEmission<'static, u8, u8, Local>: Send));
        assert!(
            implements!(ConcurrentEmission<'static, u8, std::marker::PhantomPinned, Local>: Unpin)
        );
    };

    #[cfg(feature = "tokio")]
    const _: () = assert!(implements!(sigwire::Spawned<u8>: Send));
}
