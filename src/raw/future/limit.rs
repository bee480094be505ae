//! How long a handler's future may take.

use core::future::Future;

use crate::base::Outcome;

/// How long a handler may take.
///
/// # Safety
/// A limited future is `Send` if the future is.
pub(crate) unsafe trait Limit: Clone + Send + Sync + 'static {
    /// The output of the limited future of a handler that returns an `R`.
    type Output<R>;
    type Limited<V: Future>: Future<Output = Self::Output<V::Output>>;
    fn limit<V: Future>(&self, future: V) -> Self::Limited<V>;
    fn outcome<R>(output: Self::Output<R>) -> Outcome<R>;
}

/// No limit.
#[derive(Clone)]
pub(crate) struct NoLimit;

// SAFETY: the limited future is the future itself.
unsafe impl Limit for NoLimit {
    type Output<R> = R;
    type Limited<V: Future> = V;
    #[inline(always)]
    fn limit<V: Future>(&self, future: V) -> V {
        future
    }
    #[inline(always)]
    fn outcome<R>(result: R) -> Outcome<R> {
        Outcome::Returned(result)
    }
}

#[cfg(feature = "tokio")]
mod timeout {
    use core::time::Duration;
    use tokio::time::{Timeout, error::Elapsed, timeout};

    use super::{Future, Limit, Outcome};

    // SAFETY: `_proof` compiles only if `Timeout<V>` is `Send` for each `V` that is.
    unsafe impl Limit for Duration {
        type Output<R> = Result<R, Elapsed>;
        type Limited<V: Future> = Timeout<V>;
        fn limit<V: Future>(&self, future: V) -> Timeout<V> {
            timeout(*self, future)
        }
        fn outcome<R>(in_time: Result<R, Elapsed>) -> Outcome<R> {
            in_time.map_or(Outcome::TimedOut, Outcome::Returned)
        }
    }

    fn _proof<V: Send>() {
        fn is_send<T: Send>() {}
        is_send::<Timeout<V>>();
    }
}
