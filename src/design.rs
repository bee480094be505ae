//! How it works inside, and what was tried and lost. Nothing to use here.
//!
//! # The way of a call
//!
//! connect → ledger and list → emission → handle → owner. Each part knows only those after it.
//!
//! | file | holds | may be touched |
//! |---|---|---|
//! | `signal`, `options` | the public verbs | |
//! | `slots` | the rules: connect, disconnect, prune, who may be called | |
//! | `ledger` | from keys to places in the list: a slotmap, once there are more than a few slots | under the lock |
//! | `rare_data` | data that only few slots have: a name, calls left, blocks | under the lock |
//! | `list` | the entries in call order: handle, key, priority, state | read by emissions without the lock |
//! | `queue` | handlers that wait for their loop | see below |
//! | `raw::versions` | which list is current, who reads it, the lock | by its own protocol |
//! | `raw::handle` | a weak pointer and a table of functions made for its type | |
//!
//! **Everything that waits for a decision is decided under the lock; everything that needs none is
//! called without it.** An entry says in one byte which it is:
//!
//! | state | meaning | set when |
//! |---|---|---|
//! | `Call` | call it | nothing is special |
//! | `Ask` | ask the ledger, by key | the slot or the signal is blocked; it counts its calls; the list is not current any more |
//! | `Incomplete` | the same, if the owner is there; otherwise nothing | its owner was never seen complete |
//! | `Gone` | do not call it | disconnected; the entry is a gap that waits to be swept out |
//!
//! So an emission over a list that was replaced meanwhile asks for each slot, and a disconnect has to
//! mark the current list only. The question is put after the owner was upgraded: a `once` slot whose
//! owner is gone does not use up its call.
//!
//! # Lists and readers
//!
//! An emission notes in a *reader* which list it reads. Connecting edits the list in place when no reader
//! holds it, and otherwise edits a copy that becomes the current list: one copy for all emissions that
//! are under way, since nobody reads the new one yet. A former list goes when no reader holds it any
//! more, so a slow slot keeps the list it was called from and nothing else. The protocol, and why it
//! is sound, is written at the head of `raw/versions.rs`.
//!
//! The first reader lies in the signal's own memory. More of them, on cache lines of their own, come when
//! two emissions meet; and when they are on two threads, the first reader is closed, since all threads
//! read what lies beside it.
//!
//! The reader also says which slot is being called, on which thread. That is what `disconnect_and_wait`
//! looks at, and how it knows that it was called from inside the slot.
//!
//! # What is compiled for each method
//!
//! One function that calls it, for several threads or for one, and one that names it; a table of these two; and
//! the few lines of `connect` that put them together. All else depends on the owner's type (the rest of the
//! table: `raw::handle`), on the event's (the lists, and whatever is seldom), or on neither. `benches/build/run`
//! measures what one more connect adds to a program, and holds it to a record.
//!
//! # MaybeSendSync
//!
//! Every slot is a weak handle, those of capturing closures too: what a method captures lies in an
//! adapter beside a weak pointer to the owner. Lists refer to the adapter weakly, but for the newest
//! copy of the slot's entry, which has one strong count of it (`raw/entry.rs`) until the slot is
//! disconnected. So disconnecting drops the captures at once, or, when a call is under way, that call's own
//! reference drops them as it returns. No emission delays that.
//!
//! # Many small signals
//!
//! Most signals have few slots, and are seldom emitted. A signal with one slot is two allocations: its
//! slots, with all that an emission reads and writes at their beginning, and its list, with the first
//! entry inside. What few signals have comes later: a slotmap with the 17th slot (until then
//! keys are counted, and looked for in the list), what is special with the first special slot, more
//! readers when emissions meet. The figures are those of `cargo bench --bench shapes`.
//!
//! # Owners without reference counting
//!
//! An `Arc`'s method cannot be called without counting a reference up and down: two atomic operations on
//! memory that all threads share. [`HazardArc`](crate::HazardArc) owners need one, on memory of the emitting
//! thread: it writes what it calls into a cell, and looks whether the owner lives; who drops the last pointer
//! says so, and looks at the cells. The protocol, and why each owner is destroyed once, at once, and by whom,
//! is written at the head of `raw/hazards.rs`; its models stand below it.
//!
//! Beside the hand-written loop over `Weak`s of `Arc` (ratios of `cargo bench --bench budgets tracked`, over
//! several days of one machine): 0.7 to 1.0 at 1,000 slots, 0.9 to 1.4 at 10, 2.0 to 2.5 at one, where the
//! emission's own entry and exit count. Two threads that call the same owners: 0.28 (`BENCHMARKS.md`).
//!
//! How far below could one go? The exchange is there for two orders, of writing the cell and looking at the
//! owner, and of saying which slot runs and looking whether it is connected (`disconnect_and_wait`).
//! - *One exchange for a whole emission*, with plain stores for each call: about a quarter faster again. But
//!   then an owner that is dropped anywhere during an emission has to wait for that emission's end, although
//!   it is not being called; and `disconnect_and_wait` could not tell a call that runs from one that is
//!   over, and would have to wait for other slots, which may wait for it. So no.
//! - *Cells of a few owners at a time*: the same, for a few neighbours.
//! - *HandleMaker the dropping thread pay* (`membarrier`, or a signal to each thread): systems differ, and dropping
//!   an object would take microseconds.
//!
//! A cell belongs to one emission until that ends, which need not be in the reverse order of their beginnings:
//! with coroutines, each on a stack of its own, an emission may end while later ones are suspended in a slot.
//! What lives longer than its emission (the list, and so the memory of what it calls) is known to the borrow
//! checker: `Caller<'l>` calls only what lives for `'l`.
//!
//! One thing differs from an `Arc`: a call is no owner. While the method of an object runs whose last pointer
//! is gone, weak pointers to it cannot be upgraded any more, and no other slot of it is called.
//!
//! # Asynchronous signals
//!
//! A slot of one is a slot of an ordinary signal whose event is a request: the event, the waker, and a
//! room for the handler's future. What it returns says whether that is ready. So all the rules above are the
//! same ones, and an emission whose handlers are all ready at once is an ordinary emission: the future is
//! made in the room, where it stays, and polled there by code that knows its type. Only when it has
//! to wait, its owner and the functions to poll and drop it are put beside it, and the emission shares the
//! list out of its reader to go on with later. See `raw/task.rs`, `raw/room.rs`.
//!
//! Of handlers that wait concurrently, a few are polled together with the task's own waker, as `join_all` does up to
//! 30: to learn which of them was woken takes an allocation and a second first poll for each. Of many,
//! each has a waker. `call_concurrent` has many from two on: results come in the order of the wakes, which
//! only wakers can tell.
//!
//! What such a call costs is stores, more than instructions: a handler that wakes its task makes
//! the processor wait for all of them. So a call that is ready at once saves no registers and has
//! no frame: what is seldom (there is no room yet, its owner's last pointer is dropped) is a call
//! with nothing after it, that of the handler once more if need be (`Again`). The owner's pointer
//! stays in a register until the handler has to wait. One word says whether a room is empty and how
//! large, or what is in it; and the request lies in the emission with its task, so that a poll
//! writes only its context.
//!
//! # Streams
//!
//! With the feature `async`. What a stream's slot calls is its channel, which the slot's list holds: so a call counts
//! no references, and a stream is one allocation (`raw/inlet.rs`). The connection and the calls under way are counted
//! in the channel, under its lock, and keep it from its end: so the stream learns of the end without looking for
//! it, and after the last event. The channel keeps the first event apart from those that wait behind it: what a
//! consumer that keeps up and the emissions to it touch is one cache line. See `stream/channel.rs`.
//!
//! Where emissions wait for room, their events are in the channel already, behind those there is room for. Each
//! event that is taken makes room for the next one in line, and wakes its emission; so nobody can
//! overtake, and an emission that is dropped finds its own event by the number it was given. These numbers order a
//! tree: what is dropped goes at once, and leaves a count at its neighbor, so that a stream holds no more than what
//! waits, and the lock is never held for longer than a few nodes of the tree need.
//!
//! # Queues
//!
//! A slot whose handler waits in a queue is called like any other; what is called is its *sender*, which
//! puts a clone of the event into the queue. The sender stands for the owner, which is not touched there:
//! the list holds it, so that no references are counted, and the ledger's keep_alive ends its place in the
//! queue with the connection.
//!
//! A queue has two sides (`queue/post.rs`, `queue/run.rs`). Events wait under one lock, those of each
//! connection in a deque of their own type, with one common list of turns; a run takes up to 128 turns at
//! once, by swapping deques where it can, and calls without the lock. A run that finds one event takes that
//! and nothing more. Only an event that a newer one may replace, or a window hold back, is taken alone, right
//! before its call. What was cancelled or flushed leaves its turns behind, without an event, so that nobody
//! looks for them.
//!
//! What a connection has in its queue is one piece of memory (`queue/line.rs`). What only a run may touch in
//! it belongs to whoever has the one right to it (`raw/twin.rs`), which a run takes along: so no references
//! are counted, and a disconnect finds at once whether it or the run drops what is left. Deques, windows,
//! counts of calls and what a method captured are made when there is one to keep. Methods of `Rc` owners lie
//! in the same memory, but only what never leaves their thread opens them (`raw/resident.rs`); there the end
//! of a run lets go of those that ended.
//!
//! For its windows a run looks at the time once. It closes those that are due before it takes events, so that
//! a window that has run out never decides over an event.
//!
//! Whether a handler may be called is decided when it is: the ledger shows the state of such a slot's entry
//! at a *gate*, one byte that the run reads without the lock.
//!
//! # Tried, and lost
//!
//! Ratios are those of `cargo bench --bench budgets`, to the hand-written loop.
//!
//! - *`Weak<dyn Method>` over a transparent wrapper*, in place of a table of our own: it needs the
//!   owner's type to be sized where it is made, and `connect` takes `Arc<dyn Trait>` by the same name.
//! - *What may be called as a struct in memory*, passed by reference: the owner's upgrade waits for
//!   those stores. 1.44 at 1,000 slots before its parts travelled in registers and the atomics were
//!   inlined, 1.1 after.
//! - *A flag for the blocked signal read before each slot*: `local` at 1,000 slots fell from 1.54 to
//!   1.48 when blocking marked the entries instead.
//! - *The key as two halves in the entry*: `local` at 1,000 slots 1.3, as one number 1.14.
//! - *ReaderCells side by side*: with two threads on one slot about 1.4 times the time of readers on cache
//!   lines of their own. *One line for each*: 1.2 at 1,000 slots with one thread, a pair of lines 1.09.
//! - *The slow ways of a call inside the quick one*: what had to be saved for them cost a thread-safe slot 7
//!   of 50 instructions. *As functions made for each method, which are jumped to*: none, but each more connect
//!   took five times the code. Now the quick one says why it did not call, and who called it goes on.
//! - *What a call begins with as a function that returns a `Result`*: 4 instructions of 39 for each slot, also
//!   inlined; 7 where that is left to the compiler. With an `Option`, and why not beside it, none.
//! - *A list as a `SmallVec`*: the same optimised, and 250 instructions of 1,150 for an emission to one slot
//!   where nothing is. *As an enum with a variant for no entry*: 5 instructions for each look into it.
//! - *HazardArc owners: cells by the depth of the emission, in a thread-local.* Unsound where emissions do not end
//!   in reverse order; and looking up the depth for each call took 8 of 54 instructions.
//! - *HazardArc owners: one word that both names the level of nesting and marks the cells in use*: the cell had
//!   to be found again in each emission, 114 instructions more at one slot.
//! - *A stream's channel under a `Mutex`, with all events in a ring*: 1.6 times the time of
//!   `tokio::sync::broadcast` at 1,000 subscribers; with the first event in one cache line with its state
//!   1.4; with a lock that is released by a store 1.15; with half the memory for each stream 1.0 to 1.18.
//! - *A stream's slot as a closure beside the channel*, upgraded for each call: four exchanges for an event that is put
//!   in and taken out, 22 ns and 1.18 at 1,000 subscribers. They are all that counts: with three 17.5 ns and 0.98,
//!   with two 12.6 ns and 0.70. It is two for events that the standard library clones; any other clone may take
//!   its time, and the end has to know of it.
//! - *To find out what is `Copy`* by whether the standard library clones an array of it without calling `clone`: it
//!   never said yes (`rustc` 1.95.0).
//! - *A stream's lock taken by a swap* in place of a comparison: no faster by more than 0.3 ns of 17.5, and the models
//!   of it do not end.
//! - *An asynchronous handler's future in the task from the beginning, polled through a pointer*: 3.4 to 5 times
//!   the loop that awaits one method after another; made and first polled where its type is known, with a
//!   list shared only when it has to be and a room kept by the thread, 1.1 to 1.5.
//! - *The room's address and size in the request, made for each poll*: `local` with all ready at
//!   once 1.26 at 1,000 handlers and not 1.35, but three stores more for each wait: 1.69 and not
//!   1.63. In one word of a request that stays: 1.30 and 1.62.
//! - *An emission's future with what is written and what is not yet side by side*: it was moved as
//!   a whole after it was written in parts, 4.6 ns more for each emission. Hence the order of its
//!   fields.
//! - *A flag in the request, against handlers that start others with it*: two stores and a look for each; that what
//!   makes a future is `'static` says the same to the compiler.
//! - *A reference count on the list in place of readers*: the same two atomic operations, and it does not
//!   tell which slot runs, so waiting for one slot would have meant waiting for whole emissions.
//! - *Events of a queue in boxes*, or found by `Any`: 40 ns for an event queued and run; the comparison of
//!   type ids alone took 6 of them. In deques that the lock's owner opens, 24.
//! - *A queue under a lock that is released by a store*, as that of a stream: 0.75 to 0.9 times the `mpsc` of
//!   boxed closures at one event a run, not 0.95 to 1.15. But with another thread that runs it all the time,
//!   an emitter that has to wait sleeps: microseconds for an event, not 0.1 to 0.3.
//!
//! # Known limits
//!
//! - Each stream has a buffer of its own, so that a slow consumer costs nobody else anything. Where all keep up,
//!   one that they share is cheaper with many of them: `async-broadcast` takes 0.8 of the time at 100
//!   subscribers, and less than half at 1,000 (`cargo bench --features async --bench stream`).
//! - An asynchronous emission to ten handlers of the local flavor, which are all ready at once,
//!   takes 1.5 to 1.6 times the time of a loop over `Rc`s that the compiler sees through, and 1.3
//!   to 1.4 times from a hundred on; of the thread-safe one, 1.1 to 1.2 times. Where each waits
//!   once, 1.7 to 1.75 times at ten and 1.6 to 1.65 from a hundred on, in both: going on takes a
//!   reader for each wait, and two calls through pointers (`cargo bench --features async --bench
//!   async_emit`).
//! - A queue that is run for each event by itself takes its lock three times for it: about one and a half to two
//!   times what 100 events a run cost each. If it has a `wake`, references to that are counted besides.
//! - `disconnect_and_wait` does not wait for a queued handler that runs on the loop's thread.
//! - While emissions overlap without a pause, gaps are swept out only by a connect or a disconnect, not
//!   by the emissions.
//! - A signal's slotmap never shrinks: 8 bytes for each slot that were ever connected at once, if those
//!   were more than 16.
//! - An emission leaves its reader by a plain store. If another thread changes the list in these
//!   moments, what the emission was in the way of (a gap, a former list) may stay until the next
//!   emission or change. It is memory only: captures and owners are never kept by it.
//! - A slot that was connected through std's `Weak`, and whose owner the signal never saw complete, stays
//!   until it is disconnected: std cannot tell an owner that is gone from one that is to come. (It tells neither
//!   how many weak pointers are left once no strong one is.) Each costs an emission the try to upgrade it,
//!   and no lock. Owners in a `HazardArc` can tell.
//! - Connections keep the block of memory that the signal's slots were in (not the slots) as long as
//!   they live, as every `Weak` does.
//! - A connect while emissions begin on other threads without a pause copies the list each time.
