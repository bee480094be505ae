//! Methods whose feature is off. To call one is an error that names the feature.
//!
//! rustc names it by itself for types, but not for methods. So the methods are here by name, with a
//! bound that nothing meets. It is a bound of an argument, or of a type with a lifetime of the call:
//! of others rustc would say "unsatisfied trait bounds", and not what the trait says of itself.

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
        /// What a method returns, so that no error follows from the first.
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
        /// What a method returns, so that no error follows from the first.
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
