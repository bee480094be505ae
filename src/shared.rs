//! The thread-safe flavor: the names at the crate root.

use crate::generic;
use crate::raw::{Local, Shared};

/// An object that announces events of type `E`. [`emit`](Self::emit) calls the methods that are
/// connected to it.
///
/// The event is passed by reference, so `E` may be unsized: `Signal<str>` calls methods that take
/// `&str`. Methods may return a value: `Signal<E, R>` calls methods that return `R`. A connected
/// method is called a *slot*. A slot holds its owner weakly, and ends when the owner is dropped.
///
/// ```
/// use sigwire::Signal;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Counter {
///     total: AtomicU64,
/// }
///
/// impl Counter {
///     fn add(&self, n: &u64) {
///         self.total.fetch_add(*n, Relaxed);
///     }
/// }
///
/// let numbers: Signal<u64> = Signal::new();
/// let counter = Arc::new(Counter::default());
/// numbers.connect(&counter, Counter::add);
/// assert_eq!(numbers.emit(&2), 1); // one slot was called
/// assert_eq!(counter.total.load(Relaxed), 2);
///
/// drop(counter); // freed here, at once
/// assert_eq!(numbers.emit(&3), 0); // nobody is left to call
/// ```
///
/// # Announce
///
/// | method | what it does |
/// |---|---|
/// | [`new`](Self::new) | makes a signal without slots; it is `const`, so a signal can be a `static` |
/// | [`emit`](Self::emit) | calls every slot, and returns how many were called |
/// | [`call`](Self::call) | returns an iterator over what the slots return |
/// | [`try_emit`](Self::try_emit) | calls every slot even if some panic, and reports the panics |
/// | [`source`](Self::source) | the part to publish: others can connect, only you can emit |
///
/// # Connect
///
/// A signal derefs to its [`Source`], so these are methods of a signal too:
///
/// | method | what it does |
/// |---|---|
/// | [`connect`](Source::connect) | connects a method that takes `&self`, or a closure whose first parameter is the owner |
/// | [`connect_mut`](Source::connect_mut) | connects a `&mut self` method of an owner in an `Arc<Mutex<T>>` or `Arc<RwLock<T>>` |
/// | [`connect_fn`](Source::connect_fn) | connects a closure without an owner; keep the guard it returns |
/// | [`connect_weak`](Source::connect_weak) | connects a [`WeakMethod`] |
/// | [`connect_extended`](Source::connect_extended) | connects a method that also gets its own connection |
/// | [`slot`](Source::slot) | sets options first: priority, once, a queue, and more in [`SlotOptions`] |
#[cfg_attr(
    feature = "async",
    doc = "| [`stream`](Source::stream) | the events as a stream, for async code |",
    doc = "| [`next_event`](Source::next_event) | the next event as a future |"
)]
///
/// # Disconnect and look
///
/// | method | what it does |
/// |---|---|
/// | [`disconnect_owner`](Source::disconnect_owner) | disconnects all slots of an owner |
/// | [`disconnect_method`](Source::disconnect_method) | disconnects one method of an owner |
/// | [`disconnect_all`](Source::disconnect_all) | disconnects all slots |
/// | [`block`](Source::block) | blocks all slots until the guard is dropped |
/// | [`is_blocked`](Source::is_blocked) | whether the signal is blocked |
/// | [`slot_count`](Source::slot_count), [`is_empty`](Source::is_empty) | how many slots are connected, and whether there are none |
/// | [`prune`](Source::prune) | removes slots whose owner is gone; emitting and connecting do this too |
///
/// To disconnect one slot, use its [`Connection`], which each of the `connect` methods returns.
///
/// For objects that stay on one thread, use [`local::Signal`](crate::local::Signal).
pub type Signal<E, R = ()> = generic::Signal<E, R, Shared>;

/// The part of a [`Signal`] to publish: others can connect to it, but not emit.
///
/// A signal derefs to its source, so all methods here are methods of a signal too.
///
/// ```
/// use sigwire::{Signal, Source};
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Default)]
/// pub struct Slider {
///     moved: Signal<f32>, // private: only the slider emits
/// }
///
/// impl Slider {
///     pub fn moved(&self) -> &Source<f32> {
///         &self.moved
///     }
///     pub fn drag(&self, to: f32) {
///         self.moved.emit(&to);
///     }
/// }
///
/// let slider = Slider::default();
/// let seen = Arc::new(Mutex::new(vec![]));
/// slider.moved().connect_mut(&seen, |seen, to| seen.push(*to));
/// slider.drag(0.5);
/// assert_eq!(*seen.lock().unwrap(), [0.5]);
/// ```
///
/// The connect methods are [`connect`](Self::connect), [`connect_mut`](Self::connect_mut),
/// [`connect_fn`](Self::connect_fn), [`connect_weak`](Self::connect_weak) and
/// [`connect_extended`](Self::connect_extended). To connect with options, begin with
/// [`slot`](Self::slot).
pub type Source<E, R = ()> = generic::Source<E, R, Shared>;

/// The options of a slot that is about to be connected. Made by [`Source::slot`].
///
/// ```
/// use sigwire::Signal;
/// use std::sync::{Arc, Mutex};
///
/// let opened: Signal<str> = Signal::new();
/// let log = Arc::new(Mutex::new(vec![]));
/// opened.connect_mut(&log, |log, name| log.push(format!("2. {name}")));
/// let first = opened.slot().priority(10).once().name("first");
/// first.connect_mut(&log, |log, name| log.push(format!("1. {name}")));
///
/// opened.emit("a");
/// opened.emit("b");
/// assert_eq!(*log.lock().unwrap(), ["1. a", "2. a", "2. b"]);
/// ```
///
/// | option | what it does |
/// |---|---|
/// | [`priority`](Self::priority) | slots with a higher priority are called first; default: 0 |
/// | [`once`](Self::once), [`times`](Self::times) | disconnects the slot after one call, or after `times` calls |
/// | [`unique`](Self::unique) | does not connect the same method of the same owner again |
/// | [`name`](Self::name) | a name for `Debug` and for error reports |
/// | [`on`](generic::SlotOptions::on) | a [`Queue`] or [`LocalQueue`] calls the handler later |
///
/// To connect, use one of the connect methods, which are those of [`Source`].
pub type SlotOptions<'a, E, R = ()> = generic::SlotOptions<'a, E, R, Shared>;

/// An iterator over what the slots return. It calls one slot for each item. Made by
/// [`Signal::call`].
///
/// ```
/// use sigwire::Signal;
/// use std::sync::Arc;
///
/// let offers: Signal<str, u32> = Signal::new();
/// let shop = Arc::new(30);
/// offers.connect(&shop, |price, _| *price);
/// offers.connect(&shop, |price, _| price - 10);
///
/// assert_eq!(offers.call("tea").min(), Some(20)); // any method of `Iterator`
/// assert_eq!(offers.call("tea").find(|price| *price < 40), Some(30)); // the second is not called
/// ```
pub type Emission<'a, E, R = ()> = generic::Emission<'a, E, R, Shared>;

/// The handle to one slot, to disconnect or block it. Dropping the handle does nothing.
///
/// It is the same type for all events, so one `Vec<Connection>` can hold the connections of
/// different signals.
///
/// ```
/// use sigwire::Signal;
/// use std::sync::Arc;
///
/// let switched: Signal<bool> = Signal::new();
/// let lamp = Arc::new("lamp");
/// let connection = switched.connect(&lamp, |name, on| println!("{name}: {on}"));
/// assert_eq!(switched.emit(&true), 1);
///
/// let block = connection.block();
/// assert_eq!(switched.emit(&false), 0); // not called
/// drop(block);
///
/// assert!(connection.disconnect());
/// assert!(!connection.is_connected());
/// ```
///
/// | method | what it does |
/// |---|---|
/// | [`disconnect`](Self::disconnect) | disconnects the slot, and returns whether it was connected |
/// | [`disconnect_and_wait`](Self::disconnect_and_wait) | also waits until no thread is inside the slot |
/// | [`is_connected`](Self::is_connected) | whether the slot is connected, and its owner and signal are alive |
/// | [`block`](Self::block), [`is_blocked`](Self::is_blocked) | block the slot for a while without disconnecting it |
/// | [`scoped`](Self::scoped) | turns it into a guard that disconnects when it is dropped |
pub type Connection = generic::Connection<Shared>;

/// A [`Connection`] that disconnects its slot when it is dropped.
///
/// [`Source::connect_fn`] returns one, and [`Connection::scoped`] makes one. It derefs to
/// `Connection`. [`detach`](Self::detach) turns it back into a plain connection.
///
/// ```
/// use sigwire::Signal;
///
/// let said: Signal<str> = Signal::new();
/// let guard = said.connect_fn(|word| println!("{word}"));
/// assert_eq!(said.emit("hi"), 1);
/// drop(guard);
/// assert_eq!(said.emit("ho"), 0);
/// ```
pub type ScopedConnection = generic::ScopedConnection<Shared>;

/// Connections of any signals, to disconnect or block together. Dropping the set does nothing.
///
/// ```
/// use sigwire::{ConnectionSet, Signal};
/// use std::sync::Arc;
///
/// let opened: Signal<str> = Signal::new();
/// let closed: Signal<u32> = Signal::new();
/// let log = Arc::new(());
///
/// let mut set = ConnectionSet::new();
/// set.add(opened.connect(&log, |_, name| println!("opened {name}")));
/// set.add(closed.connect(&log, |_, id| println!("closed {id}")));
/// assert_eq!(set.disconnect_all(), 2);
/// assert_eq!(opened.emit("a"), 0);
/// ```
///
/// Its methods: [`add`](Self::add), [`disconnect_all`](Self::disconnect_all),
/// [`block`](Self::block), [`iter`](Self::iter), and [`scoped`](Self::scoped) for a
/// [`ScopedConnectionSet`].
pub type ConnectionSet = generic::ConnectionSet<Shared>;

/// A [`ConnectionSet`] that disconnects all its slots when it is dropped.
///
/// ```
/// use sigwire::{ScopedConnectionSet, Signal};
/// use std::sync::Arc;
///
/// let opened: Signal<str> = Signal::new();
/// let log = Arc::new(());
///
/// let mut dialog = ScopedConnectionSet::new();
/// dialog.add(opened.connect(&log, |_, name| println!("opened {name}")));
/// assert_eq!(opened.emit("a"), 1);
/// drop(dialog);
/// assert_eq!(opened.emit("b"), 0);
/// ```
pub type ScopedConnectionSet = generic::ScopedConnectionSet<Shared>;

/// A guard that blocks slots until it is dropped.
///
/// [`Connection::block`] blocks one slot, [`ConnectionSet::block`] several, and [`Source::block`] a
/// whole signal. The slots stay connected. A slot that is blocked twice is called again after both
/// guards are dropped.
///
/// ```
/// use sigwire::Signal;
///
/// let moved: Signal<f32> = Signal::new();
/// let _guard = moved.connect_fn(|to| println!("{to}"));
/// let block = moved.block();
/// assert_eq!(moved.emit(&1.0), 0);
/// drop(block);
/// assert_eq!(moved.emit(&2.0), 1);
/// ```
pub type Block = generic::Block<Shared>;

/// A method of an object that does not keep the object alive, like Python's `weakref.WeakMethod`.
///
/// Two `WeakMethod`s are equal if they are the same method of the same object.
///
/// ```
/// use sigwire::WeakMethod;
/// use std::sync::Arc;
///
/// struct Foo;
/// impl Foo {
///     fn say(&self, word: &str) -> String {
///         format!("Foo says {word}")
///     }
/// }
///
/// let foo = Arc::new(Foo);
/// let say = WeakMethod::new(&foo, Foo::say);
/// assert_eq!(say.call("hi").as_deref(), Some("Foo says hi"));
/// drop(foo);
/// assert_eq!(say.call("ho"), None);
/// ```
///
/// Its methods: [`new`](Self::new), [`call`](Self::call), [`is_alive`](Self::is_alive), and
/// [`upgrade`](Self::upgrade) for a [`BoundMethod`].
pub type WeakMethod<E, R = ()> = generic::WeakMethod<E, R, Shared>;

/// A method together with its object, which it keeps alive. Made by [`WeakMethod::upgrade`].
///
/// ```
/// use sigwire::WeakMethod;
/// use std::sync::Arc;
///
/// let name = Arc::new("Foo");
/// let greet = WeakMethod::new(&name, |name, word: &str| format!("{word}, {name}"));
/// let bound = greet.upgrade().expect("the name is there");
/// drop(name);
/// assert_eq!(bound.call("Hello"), "Hello, Foo"); // still alive
/// drop(bound);
/// assert!(!greet.is_alive());
/// ```
pub type BoundMethod<E, R = ()> = generic::BoundMethod<E, R, Shared>;

/// The error of [`try_emit`](Signal::try_emit): which slots failed. All others were called.
///
/// ```
/// use sigwire::Signal;
///
/// let saved: Signal<str> = Signal::new();
/// let _bad = saved.slot().name("backup").connect_fn(|_| panic!("disk full"));
/// let _good = saved.connect_fn(|_| ());
///
/// let error = saved.try_emit("notes.txt").unwrap_err();
/// assert_eq!(error.called(), 2);
/// assert_eq!(error.failures()[0].message(), "disk full");
/// ```
pub type EmitError = generic::EmitError<Shared>;

/// One failure in an [`EmitError`]: which slot failed, and why.
///
/// ```
/// use sigwire::Signal;
///
/// let saved: Signal<str> = Signal::new();
/// let _backup = saved.slot().name("backup").connect_fn(|_| panic!("disk full"));
///
/// let error = saved.try_emit("notes.txt").unwrap_err();
/// let failure = &error.failures()[0];
/// assert_eq!(failure.name(), Some("backup"));
/// assert_eq!(failure.message(), "disk full");
/// failure.connection().disconnect(); // it is not called again
/// assert_eq!(saved.try_emit("notes.txt").unwrap(), 0);
/// ```
pub type SlotFailure = generic::SlotFailure<Shared>;

/// Holds events until a loop runs their handlers: `emit` puts an event in, and [`run`](Self::run)
/// calls the handlers.
///
/// Connect a handler with [`on`](generic::SlotOptions::on). Its owner is in an `Arc`. Any thread
/// may run the queue, one at a time. For owners in an `Rc`, use [`LocalQueue`].
///
/// ```
/// use sigwire::{Queue, Signal};
/// use std::sync::{Arc, Mutex};
///
/// let loaded: Signal<String> = Signal::new();
/// let names = Arc::new(Mutex::new(vec![]));
/// let queue = Queue::new(|| println!("something to run"));
/// loaded.slot().on(&queue).connect_mut(&names, |names, name| names.push(name.clone()));
///
/// loaded.emit(&"a.txt".to_string()); // on any thread
/// assert!(names.lock().unwrap().is_empty());
/// assert_eq!(queue.run().called, 1); // in each turn of the loop
/// assert_eq!(*names.lock().unwrap(), ["a.txt"]);
/// ```
///
/// | method | what it does |
/// |---|---|
/// | [`new`](Self::new) | makes a queue; its closure is called when there is something to run |
/// | [`bounded`](Self::bounded) | sets how many events may wait, and which are dropped if there are more |
/// | [`run`](Self::run) | calls the handlers of all events that wait |
/// | [`run_max`](Self::run_max), [`run_until`](Self::run_until), [`run_at`](Self::run_at) | run at most so many events, until a deadline, or with a given time as the current one |
/// | [`drive`](Self::drive) | runs in an async task |
/// | [`next_deadline`](Self::next_deadline) | when a debounced or throttled event is due |
/// | [`flush`](Self::flush), [`cancel`](Self::cancel) | calls one debounced or throttled handler now, or drops its waiting events |
/// | [`len`](Self::len), [`lost`](Self::lost) | how many events wait, and how many were lost |
pub type Queue = generic::Queue<Shared>;

/// A [`Queue`] for owners in an `Rc`, which never leave the thread of their loop.
///
/// The queue stays on that thread, too. The signals are thread-safe, so any thread can emit.
///
/// ```
/// use sigwire::{LocalQueue, Signal};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// let progress: Signal<u8> = Signal::new();
/// let bar = Rc::new(RefCell::new(vec![])); // a widget
/// let queue = LocalQueue::new(|| println!("request a repaint"));
/// progress.slot().on(&queue).connect_mut(&bar, |bar, percent| bar.push(*percent));
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| progress.emit(&50));
/// });
/// assert_eq!(queue.run().called, 1);
/// assert_eq!(*bar.borrow(), [50]);
/// ```
///
/// Its methods are those of [`Queue`].
pub type LocalQueue = generic::Queue<Local>;

/// A [`Signal`] whose slots are `async` methods. An emission is a future.
///
/// It works with any async runtime. A slot holds its owner weakly, except while its handler runs.
///
/// ```
/// use sigwire::AsyncSignal;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Warehouse {
///     sent: AtomicU32,
/// }
///
/// impl Warehouse {
///     async fn send(&self, order: &str) {
///         // .. something to await ..
///         self.sent.fetch_add(1, Relaxed);
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let ordered: AsyncSignal<str> = AsyncSignal::new();
/// let warehouse = Arc::new(Warehouse::default());
/// ordered.connect(&warehouse, Warehouse::send);
/// assert_eq!(ordered.emit("tea").await, 1);
/// assert_eq!(warehouse.sent.load(Relaxed), 1);
///
/// drop(warehouse); // freed here, at once
/// assert_eq!(ordered.emit("milk").await, 0);
/// # });
/// ```
///
/// # Announce
///
/// | method | what it does |
/// |---|---|
/// | [`new`](Self::new) | makes a signal without slots; it is `const`, so a signal can be a `static` |
/// | [`emit`](Self::emit) | runs the handlers one after another, and returns how many were called |
/// | [`emit_concurrent`](Self::emit_concurrent) | runs all handlers at once, on the task that awaits it |
/// | [`call`](Self::call), [`call_concurrent`](Self::call_concurrent) | as `emit` and `emit_concurrent`, but return a stream of what the handlers return |
/// | [`try_emit`](Self::try_emit) | runs every handler even if some fail, and reports the failures |
#[cfg_attr(
    feature = "tokio",
    doc = "| [`emit_spawned`](Self::emit_spawned) | runs each handler on a tokio task of its own |",
    doc = "| [`emit_on`](Self::emit_on) | emits on a tokio runtime, from code that is not async |"
)]
///
/// # Connect
///
/// A signal derefs to its [`AsyncSource`], so these are methods of a signal too:
///
/// | method | what it does |
/// |---|---|
/// | [`connect`](AsyncSource::connect) | connects an `async` method, or an async closure whose first parameter is the owner |
/// | [`connect_sync`](AsyncSource::connect_sync) | connects a method that is not async |
#[cfg_attr(
    feature = "tokio",
    doc = "| [`connect_mut`](AsyncSource::connect_mut) | connects an `async` method that takes `&mut self`, of an owner in tokio's mutex |"
)]
/// | [`connect_fn`](AsyncSource::connect_fn) | connects an async closure without an owner; keep the guard it returns |
/// | [`slot`](AsyncSource::slot) | sets options first: see [`AsyncSlotOptions`] |
/// | [`stream`](AsyncSource::stream) | the events as a stream, which can make emissions wait for room |
/// | [`next_event`](AsyncSource::next_event) | the next event as a future |
///
/// # Disconnect and look
///
/// As with [`Signal`]: [`disconnect_owner`](AsyncSource::disconnect_owner),
/// [`disconnect_method`](AsyncSource::disconnect_method),
/// [`disconnect_all`](AsyncSource::disconnect_all), [`block`](AsyncSource::block),
/// [`is_blocked`](AsyncSource::is_blocked), [`slot_count`](AsyncSource::slot_count),
/// [`is_empty`](AsyncSource::is_empty), [`prune`](AsyncSource::prune).
///
/// What happens when a handler panics, is disconnected while it runs, or emits again, is listed at
/// [`generic::AsyncSignal`].
#[cfg(feature = "async")]
pub type AsyncSignal<E, R = ()> = generic::AsyncSignal<E, R, Shared>;

/// The part of an [`AsyncSignal`] to publish: others can connect to it, but not emit.
///
/// ```
/// use sigwire::{AsyncSignal, AsyncSource};
/// use std::sync::Arc;
///
/// #[derive(Default)]
/// pub struct Shop {
///     ordered: AsyncSignal<str>, // private: only the shop emits
/// }
///
/// impl Shop {
///     pub fn ordered(&self) -> &AsyncSource<str> {
///         &self.ordered
///     }
/// }
///
/// let shop = Shop::default();
/// let baker = Arc::new("baker");
/// shop.ordered().connect(&baker, async |name: &&str, order: &str| println!("{name}: {order}"));
/// assert_eq!(shop.ordered().slot_count(), 1);
/// # assert_eq!(futures::executor::block_on(shop.ordered.emit("bread")), 1);
/// ```
///
/// The connect methods are [`connect`](Self::connect), [`connect_sync`](Self::connect_sync) and
/// [`connect_fn`](Self::connect_fn). To connect with options, begin with [`slot`](Self::slot).
#[cfg(feature = "async")]
pub type AsyncSource<E, R = ()> = generic::AsyncSource<E, R, Shared>;

/// The options of an async slot that is about to be connected. Made by [`AsyncSource::slot`].
///
/// The options are those of [`SlotOptions`], except for queues. The feature `tokio` adds `timeout`,
/// after which a handler is dropped.
///
/// ```
/// use sigwire::AsyncSignal;
/// use std::sync::Arc;
///
/// # futures::executor::block_on(async {
/// let ordered: AsyncSignal<str> = AsyncSignal::new();
/// let baker = Arc::new("baker");
/// let first = ordered.slot().priority(10).once();
/// first.connect(&baker, async |name: &&str, order: &str| println!("{name}: {order}"));
/// assert_eq!(ordered.emit("bread").await, 1);
/// assert_eq!(ordered.emit("rolls").await, 0);
/// # });
/// ```
#[cfg(feature = "async")]
pub type AsyncSlotOptions<'a, E, R = ()> = generic::AsyncSlotOptions<'a, E, R, Shared>;

/// The events of a signal as a [`Stream`](futures_core::Stream). Made by [`Source::stream`] or
/// [`AsyncSource::stream`].
///
/// Each item is an event, or [`Lagged`](crate::Lagged) with the number of events that were lost at
/// that point. The stream ends when the signal is dropped. Dropping the stream disconnects it.
///
/// ```
/// use sigwire::{Overflow, Signal};
///
/// let scored: Signal<u32> = Signal::new();
/// let mut scores = scored.stream(16, Overflow::DropOldest);
/// scored.emit(&10);
/// scored.emit(&20);
/// drop(scored);
///
/// # futures::executor::block_on(async {
/// assert_eq!(scores.next().await, Some(Ok(10)));
/// assert_eq!(scores.next().await, Some(Ok(20)));
/// assert_eq!(scores.next().await, None);
/// # });
/// ```
///
/// Its methods: [`next`](Self::next), [`missed`](Self::missed) for how many events were lost so
/// far, and [`connection`](Self::connection).
#[cfg(feature = "async")]
pub type EventStream<T> = generic::EventStream<T, Shared>;

/// The next event of a signal as a future. Made by [`Source::next_event`] or
/// [`AsyncSource::next_event`].
///
/// It returns the first event emitted after it was made, even if it is awaited later. It returns
/// `None` if the signal is dropped before there is an event.
///
/// ```
/// use sigwire::Signal;
///
/// let loaded: Signal<str> = Signal::new();
/// let next = loaded.next_event();
/// loaded.emit("level 1");
/// assert_eq!(futures::executor::block_on(next).as_deref(), Some("level 1"));
/// ```
#[cfg(feature = "async")]
pub type NextEvent<T> = generic::NextEvent<T, Shared>;
