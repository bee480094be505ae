use core::fmt;

/// How many events were lost at this point of an [`EventStream`](crate::EventStream) because there
/// was no room for them. The items that follow are not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = if self.0 == 1 { "event was" } else { "events were" };
        write!(f, "{} {events} lost: the consumer of the stream did not keep up", self.0)
    }
}

impl core::error::Error for Lagged {}
