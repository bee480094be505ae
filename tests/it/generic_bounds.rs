//! The bounds of the connecting methods in code of others: they are `Fn` and `AsyncFn` by another name.

use sigwire::generic;
use std::sync::Arc;

/// Something that can be subscribed: whatever is a method, and a type of one's own. The compiler has to
/// know that the type is no method.
trait Subscriber<T, E> {
    fn name(&self) -> &'static str;
}

struct Mine;

macro_rules! for_methods_and_a_type_of_its_own {
    ($name:ident: $($bound:tt)+) => {
        mod $name {
            use super::*;
            trait Subscriber<T, E> {
                fn name(&self) -> &'static str;
            }
            impl<T, E, M: $($bound)+> Subscriber<T, E> for M {
                fn name(&self) -> &'static str {
                    "a method"
                }
            }
            impl<T, E> Subscriber<T, E> for Mine {
                fn name(&self) -> &'static str {
                    "mine"
                }
            }
            #[test]
            fn a_trait_may_hold_for_all_of_them_and_for_a_type_of_its_own() {
                assert_eq!(Subscriber::<u8, u8>::name(&Mine), "mine");
            }
        }
    };
}
for_methods_and_a_type_of_its_own!(method: generic::Method<T, E, ()>);
for_methods_and_a_type_of_its_own!(mut_method: generic::MutMethod<T, E, ()>);
for_methods_and_a_type_of_its_own!(closure: generic::Closure<E, ()>);
#[cfg(feature = "async")]
for_methods_and_a_type_of_its_own!(async_method: for<'a> generic::AsyncMethod<'a, T, E, ()>);
#[cfg(feature = "async")]
for_methods_and_a_type_of_its_own!(async_closure: for<'a> generic::AsyncClosure<'a, E, ()>);
#[cfg(feature = "tokio")]
for_methods_and_a_type_of_its_own!(async_mut: for<'a> generic::AsyncMutMethod<'a, T, E, ()>);

impl<T, E, M: generic::Method<T, E, ()>> Subscriber<T, E> for M {
    fn name(&self) -> &'static str {
        "a method"
    }
}

#[test]
fn a_function_over_any_method_connects_it() {
    fn connect<E: 'static, M>(signal: &sigwire::Signal<E>, owner: &Arc<u8>, method: M) -> usize
    where
        M: generic::Method<u8, E, ()> + Send + Sync + 'static,
    {
        assert_eq!(method.name(), "a method");
        signal.connect(owner, method);
        signal.slot_count()
    }
    let signal = sigwire::Signal::<u32>::new();
    assert_eq!(connect(&signal, &Arc::new(1), |_, _| ()), 1);
}
