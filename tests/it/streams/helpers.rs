//! What needs the names of a flavor.

both_flavors! {
    pub fn emit(signal: &Signal<u32>, events: impl IntoIterator<Item = u32>) {
        events.into_iter().for_each(|n| _ = signal.emit(&n));
    }
}
