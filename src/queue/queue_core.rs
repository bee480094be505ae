//! A queue as all its threads share it: the lock, and what is done when it is released.

use core::ops::DerefMut;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use std::any::Any;
use std::time::Instant;

use super::first_panic::FirstPanic;
use super::flavor::QueueFlavor;
use super::handler::AnyHandler;
use super::mailbox::{HandlerPlace, MailboxKey};
use super::state::{QueueState, WakeLoop, WakeUp};
use crate::raw::Lock;

#[cfg(all(test, sigwire_loom))]
type Mutex<T> = loom::sync::Mutex<T>;
#[cfg(not(all(test, sigwire_loom)))]
type Mutex<T> = std::sync::Mutex<T>;

pub(super) struct QueueCore<H: QueueFlavor> {
    state: Mutex<QueueState<H>>,
    is_closed: AtomicBool,
    /// The last driven run left events, so that an executor is to see other tasks before the next.
    is_fed_by_itself: AtomicBool,
}

impl<H: QueueFlavor> QueueCore<H> {
    pub(super) fn new(wake: Option<WakeLoop>) -> Self {
        QueueCore {
            state: Lock::new(QueueState::new(wake)),
            is_closed: AtomicBool::new(false),
            is_fed_by_itself: AtomicBool::new(false),
        }
    }

    // Not the mutex's own `lock`, which minds poison: no user code runs under it.
    #[inline]
    pub(super) fn lock(&self) -> impl DerefMut<Target = QueueState<H>> {
        Lock::lock(&self.state)
    }

    pub(super) fn try_lock(&self) -> Option<impl DerefMut<Target = QueueState<H>>> {
        Lock::try_lock(&self.state)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Whether there is something to run. If not, the next event wakes this waker.
    pub(super) fn has_work_or_keeps(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut state = self.lock();
        if state.waiting > 0 || state.timers.next().is_some_and(|(due, _)| due <= Instant::now()) {
            return true;
        }
        // Whoever was woken has come, and found nothing.
        state.is_woken = false;
        let former = state.waker.replace(waker);
        drop(state);
        drop(former);
        false
    }

    pub(super) fn take_feedback(&self) -> bool {
        self.is_fed_by_itself.swap(false, Ordering::Relaxed)
    }

    pub(super) fn note_feedback(&self, is_fed_by_itself: bool) {
        self.is_fed_by_itself.store(is_fed_by_itself, Ordering::Relaxed);
    }

    /// Wakes the loop and its task, each also if the other panics. Then the next event wakes them
    /// again.
    #[cold]
    #[inline(never)]
    pub(super) fn wake(&self, wake_up: WakeUp) {
        let WakeUp { mut waker, wake } = wake_up;
        let first = FirstPanic::default();
        if let Some(wake) = &wake {
            first.catch(|| wake());
        }
        let is_task_awake = waker.as_ref().is_none_or(|waker| first.catch(|| waker.wake_by_ref()));
        if !first.is_none() {
            let mut state = self.lock();
            state.is_woken = false;
            // Unless the queue is gone, or its task has come meanwhile.
            if !is_task_awake && !state.is_closed && state.waker.is_none() {
                state.waker = waker.take();
            }
        }
        first.catch(|| drop((waker, wake)));
        first.resume();
    }

    /// Does both even if both panic. Otherwise the program would end when a value panics as it is
    /// dropped because of the other panic.
    #[inline]
    pub(super) fn wake_and_drop<T>(&self, wake_up: Option<WakeUp>, dropped: T) {
        let Some(wake_up) = wake_up else { return drop(dropped) };
        let first = FirstPanic::default();
        first.catch(|| self.wake(wake_up));
        first.catch(|| drop(dropped));
        first.resume();
    }

    /// A connection has ended: what it had is dropped.
    pub(super) fn remove(&self, key: MailboxKey) {
        let mut state = self.lock();
        let Some(mailbox) = state.remove(key) else { return };
        let (mut wake_up, mut dropped) = (None, None);
        match mailbox.handler {
            HandlerPlace::Here(handler) if H::IS_THREAD_BOUND => {
                state.ended.push(handler);
                // A run that is under way drops it as it ends.
                if state.running == 0 {
                    wake_up = state.wake_up();
                }
            }
            HandlerPlace::Here(handler) => dropped = Some(handler),
            // The run drops it.
            HandlerPlace::InRun(_) => (),
        }
        drop(state);
        self.wake_and_drop(wake_up, (dropped, mailbox.inbox));
    }

    /// Before a connect: ends what has lost its owner, and drops what has ended.
    pub(super) fn prune(&self, loop_side: &H::LoopSide) {
        if !H::IS_THREAD_BOUND {
            return;
        }
        let mut gone = Vec::new();
        let mut state = self.lock();
        let count = state.mailboxes.len();
        if H::is_to_prune(loop_side, count) {
            for mailbox in state.mailboxes.values_mut() {
                // A run that is under way looks after those that it has taken.
                if let HandlerPlace::Here(handler) = &mut mailbox.handler {
                    if handler.is_gone(loop_side) {
                        gone.push(handler.connection().clone());
                    }
                }
            }
            H::pruned(loop_side, count, count - gone.len());
        }
        drop(state);
        let first = FirstPanic::default();
        for connection in gone {
            first.catch(|| _ = connection.disconnect());
        }
        first.catch(|| self.drop_ended(loop_side));
        first.resume();
    }

    /// On the loop's thread: drops what has ended.
    #[cold]
    #[inline(never)]
    pub(super) fn drop_ended(&self, loop_side: &H::LoopSide) {
        let ended = std::mem::take(&mut self.lock().ended);
        drop(release(ended, loop_side));
    }

    /// The queue is gone: ends its connections.
    pub(super) fn close(&self, loop_side: &H::LoopSide) {
        self.is_closed.store(true, Ordering::Release);
        let mut state = self.lock();
        let former = std::mem::replace(&mut *state, QueueState::new(None));
        state.is_closed = true;
        drop(state);
        let QueueState { mailboxes, mut ended, waker, wake, .. } = former;
        let mut inboxes = Vec::new();
        for (_, mailbox) in mailboxes {
            inboxes.push(mailbox.inbox);
            // Nobody runs a queue that is gone.
            if let HandlerPlace::Here(handler) = mailbox.handler {
                handler.connection().disconnect();
                ended.push(handler);
            }
        }
        drop((release(ended, loop_side), inboxes, waker, wake));
    }
}

/// Makes handlers something to drop on this thread, all of them even if one panics.
fn release<H: QueueFlavor>(
    ended: Vec<Box<dyn AnyHandler<H>>>,
    loop_side: &H::LoopSide,
) -> Vec<Box<dyn Any>> {
    ended.into_iter().map(|handler| handler.release(loop_side)).collect()
}
