//! C++ libraries, called through `cpp/`. A library that was not found at build time is missing at
//! run time.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::contender::Contender;
use crate::work::Work;

/// The functions that `cpp/contender.hpp` has for each library, under the same names.
#[repr(C)]
pub struct Api {
    version: *const c_char,
    contender_new: extern "C" fn() -> NonNull<c_void>,
    contender_delete: extern "C" fn(NonNull<c_void>),
    owner_new: extern "C" fn() -> NonNull<c_void>,
    owner_delete: extern "C" fn(NonNull<c_void>),
    owner_total: extern "C" fn(NonNull<c_void>) -> u64,
    connect_one: extern "C" fn(NonNull<c_void>, owner: NonNull<c_void>),
    emissions: extern "C" fn(NonNull<c_void>, count: u64),
    connections: extern "C" fn(NonNull<c_void>, owner: NonNull<c_void>, count: u64),
    turns: extern "C" fn(NonNull<c_void>, owner: NonNull<c_void>, count: u64),
    lifetimes: extern "C" fn(owner: NonNull<c_void>, count: u64),
    many_new: extern "C" fn(room: usize) -> NonNull<c_void>,
    many_delete: extern "C" fn(NonNull<c_void>),
    many_fill: extern "C" fn(NonNull<c_void>),
    many_connect:
        extern "C" fn(NonNull<c_void>, owners: *const NonNull<c_void>, count: usize, slots: usize),
    many_visit: extern "C" fn(NonNull<c_void>, order: *const u32, count: usize),
}

pub trait Library: 'static {
    const NAME: &'static str;
    const THREAD_SAFE: bool;
    const TRACKS_OWNERS: bool;
    fn api() -> Option<&'static Api>;
}

macro_rules! library {
    ($library:ident, $symbol:ident if $cfg:ident, $name:literal, $thread_safe:literal, $tracks:literal) => {
        pub struct $library;

        impl Library for $library {
            const NAME: &'static str = $name;
            const THREAD_SAFE: bool = $thread_safe;
            const TRACKS_OWNERS: bool = $tracks;

            #[cfg($cfg)]
            fn api() -> Option<&'static Api> {
                unsafe extern "C" {
                    static $symbol: Api;
                }
                // SAFETY: it is a constant in C++, and has the same layout.
                Some(unsafe { &$symbol })
            }

            #[cfg(not($cfg))]
            fn api() -> Option<&'static Api> {
                None
            }
        }
    };
}

library!(BoostTracked, peers_boost_tracked if boost, "boost::signals2, tracked", true, true);
library!(BoostUntracked, peers_boost_untracked if boost, "boost::signals2, untracked", true, false);
library!(SigCpp, peers_sigcpp if sigcpp, "libsigc++, trackable", false, true);

pub struct Foreign<L: Library>(NonNull<c_void>, PhantomData<L>);

/// A smart pointer to a sink, on the heap.
#[repr(transparent)]
pub struct ForeignOwner<L: Library>(NonNull<c_void>, PhantomData<L>);

/// Signals that lie side by side in C++.
pub struct ForeignMany<L: Library>(NonNull<c_void>, PhantomData<L>);

// SAFETY: a shared reference can only emit, which boost::signals2 allows on all threads.
unsafe impl Sync for Foreign<BoostTracked> {}
// SAFETY: as above.
unsafe impl Sync for Foreign<BoostUntracked> {}

fn api<L: Library>() -> &'static Api {
    L::api().expect("it is there")
}

impl<L: Library> Contender for Foreign<L> {
    const NAME: &'static str = L::NAME;
    const THREAD_SAFE: bool = L::THREAD_SAFE;
    const TRACKS_OWNERS: bool = L::TRACKS_OWNERS;
    type Owner = ForeignOwner<L>;

    fn new() -> Self {
        Foreign((api::<L>().contender_new)(), PhantomData)
    }

    fn is_there() -> bool {
        L::api().is_some()
    }

    fn version() -> Option<String> {
        // SAFETY: it is a string literal.
        L::api().map(|api| unsafe { CStr::from_ptr(api.version) }.to_string_lossy().into_owned())
    }

    fn owner(&mut self) -> Self::Owner {
        ForeignOwner((api::<L>().owner_new)(), PhantomData)
    }

    fn total(&self, owner: &Self::Owner) -> u64 {
        (api::<L>().owner_total)(owner.0)
    }
}

impl<L: Library> Work for Foreign<L> {
    fn connect_one(&mut self, owner: &Self::Owner) {
        (api::<L>().connect_one)(self.0, owner.0);
    }

    fn emissions(&self, count: u64) {
        (api::<L>().emissions)(self.0, count);
    }

    fn connections(&mut self, owner: &Self::Owner, count: u64) {
        (api::<L>().connections)(self.0, owner.0, count);
    }

    fn turns(&mut self, owner: &Self::Owner, count: u64) {
        (api::<L>().turns)(self.0, owner.0, count);
    }

    fn lifetimes(owner: &Self::Owner, count: u64) {
        (api::<L>().lifetimes)(owner.0, count);
    }

    type Many = ForeignMany<L>;

    fn with_room_for(count: usize) -> Self::Many {
        ForeignMany((api::<L>().many_new)(count), PhantomData)
    }

    fn fill(many: &mut Self::Many) {
        (api::<L>().many_fill)(many.0);
    }

    fn connect_each(many: &mut Self::Many, owners: &[Self::Owner], slots: usize) {
        // An owner is only its pointer.
        (api::<L>().many_connect)(many.0, owners.as_ptr().cast(), owners.len(), slots);
    }

    fn visit(many: &Self::Many, order: &[u32]) {
        (api::<L>().many_visit)(many.0, order.as_ptr(), order.len());
    }
}

impl<L: Library> Drop for Foreign<L> {
    fn drop(&mut self) {
        (api::<L>().contender_delete)(self.0);
    }
}

impl<L: Library> Drop for ForeignOwner<L> {
    fn drop(&mut self) {
        (api::<L>().owner_delete)(self.0);
    }
}

impl<L: Library> Drop for ForeignMany<L> {
    fn drop(&mut self) {
        (api::<L>().many_delete)(self.0);
    }
}
