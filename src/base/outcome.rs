/// How a handler of an asynchronous signal ended, if it did not panic.
#[derive(Debug)]
pub(crate) enum Outcome<R> {
    Returned(R),
    /// Dropped at its deadline.
    #[cfg_attr(not(feature = "tokio"), allow(dead_code))]
    TimedOut,
}
