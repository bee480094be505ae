//! Methods whose feature is off. Calling one is an error that names the feature.
//!
//! For types, rustc names the missing feature by itself, but not for methods. For each such method
//! there is a method of the same name here, with a bound that no type meets. The bound is on an
//! argument, or on a type with a lifetime of the call: for other bounds, rustc would say
//! "unsatisfied trait bounds" and not the trait's own message.

#[cfg(not(feature = "async"))]
mod without_async {
    use crate::raw::Flavor;
    use crate::signal::{SlotOptions, Source};

    #[diagnostic::on_unimplemented(
        message = "this method needs the feature `async` of sigwire",
        label = "the feature `async` is off",
        note = "turn it on with `cargo add sigwire --features async`"
    )]
    pub trait FeatureAsync {
        /// The return type of the method, so that the first error causes no others.
        type Off;
    }

    #[doc(hidden)]
    impl<E: ?Sized + 'static, R: 'static, F: Flavor> Source<E, R, F> {
        pub fn stream<A: FeatureAsync>(&self, _capacity: A, _overflow: impl Sized) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
        pub fn next_event<'a>(&'a self) -> <SlotOptions<'a, E, R, F> as FeatureAsync>::Off
        where
            SlotOptions<'a, E, R, F>: FeatureAsync,
        {
            unreachable!("nothing has a feature that is off")
        }
    }

    #[doc(hidden)]
    impl<E: ?Sized + 'static, R: 'static, F: Flavor> SlotOptions<'_, E, R, F> {
        pub fn stream<A: FeatureAsync>(self, _capacity: A, _overflow: impl Sized) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
        pub fn next_event(self) -> <Self as FeatureAsync>::Off
        where
            Self: FeatureAsync,
        {
            unreachable!("nothing has a feature that is off")
        }
    }
}

#[cfg(all(feature = "async", not(feature = "tokio")))]
mod without_tokio {
    use crate::async_signal::{AsyncSignal, AsyncSlotOptions, AsyncSource};
    use crate::raw::Flavor;

    #[diagnostic::on_unimplemented(
        message = "this method needs the feature `tokio` of sigwire",
        label = "the feature `tokio` is off",
        note = "turn it on with `cargo add sigwire --features tokio`"
    )]
    pub trait FeatureTokio {
        /// The return type of the method, so that the first error causes no others.
        type Off;
    }

    #[doc(hidden)]
    impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSignal<E, R, F> {
        pub fn emit_on<A: FeatureTokio>(&self, _runtime: A, _event: impl Sized) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
        pub fn emit_spawned<A: FeatureTokio>(&self, _event: A) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
    }

    #[doc(hidden)]
    impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSource<E, R, F> {
        pub fn connect_mut<A: FeatureTokio>(&self, _owner: A, _method: impl Sized) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
    }

    #[doc(hidden)]
    impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSlotOptions<'_, E, R, F> {
        pub fn connect_mut<A: FeatureTokio>(self, _owner: A, _method: impl Sized) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
        pub fn timeout<A: FeatureTokio>(self, _timeout: A) -> A::Off {
            unreachable!("nothing has a feature that is off")
        }
    }
}
