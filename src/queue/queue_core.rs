//! The part of a queue that all its threads share: the lock, and what is done after it is released.

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
    /// The last driven run left events, so an executor should run other tasks before the next run.
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

    // Not the mutex's own `lock`, which checks for poison: no user code runs under this lock.
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

    /// Returns whether there is something to run. If there is not, stores the waker, and the next
    /// event wakes it.
    pub(super) fn has_work_or_keeps(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut state = self.lock();
        if state.waiting > 0 || state.timers.next().is_some_and(|(due, _)| due <= Instant::now()) {
            return true;
        }
        // The loop that was woken has come, and found nothing to run.
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

    /// Wakes the loop and its task. If one panics, the other is still woken, and the next event
    /// wakes both again.
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
            // Keep the waker, unless the queue is gone or its task has polled again meanwhile.
            if !is_task_awake && !state.is_closed && state.waker.is_none() {
                state.waker = waker.take();
            }
        }
        first.catch(|| drop((waker, wake)));
        first.resume();
    }

    /// Wakes and drops, even if both panic. Without the catching, a value that panics when it is
    /// dropped during the other panic's unwinding would abort the program.
    #[inline]
    pub(super) fn wake_and_drop<T>(&self, wake_up: Option<WakeUp>, dropped: T) {
        let Some(wake_up) = wake_up else { return drop(dropped) };
        let first = FirstPanic::default();
        first.catch(|| self.wake(wake_up));
        first.catch(|| drop(dropped));
        first.resume();
    }

    /// Removes the mailbox of a connection that has ended, and drops what is in it.
    pub(super) fn remove(&self, key: MailboxKey) {
        let mut state = self.lock();
        let Some(mailbox) = state.remove(key) else { return };
        let (mut wake_up, mut dropped) = (None, None);
        match mailbox.handler {
            HandlerPlace::Here(handler) if H::IS_THREAD_BOUND => {
                state.ended.push(handler);
                // If a run is under way, it drops the handler at its end.
                if state.running == 0 {
                    wake_up = state.wake_up();
                }
            }
            HandlerPlace::Here(handler) => dropped = Some(handler),
            // The run that took it drops it.
            HandlerPlace::InRun(_) => (),
        }
        drop(state);
        self.wake_and_drop(wake_up, (dropped, mailbox.inbox));
    }

    /// Called before a connect. Ends the connections whose owners are gone, and drops handlers that
    /// have ended.
    pub(super) fn prune(&self, loop_side: &H::LoopSide) {
        if !H::IS_THREAD_BOUND {
            return;
        }
        let mut gone = Vec::new();
        let mut state = self.lock();
        let count = state.mailboxes.len();
        if H::is_to_prune(loop_side, count) {
            for mailbox in state.mailboxes.values_mut() {
                // A handler that a run has taken is left to that run.
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

    /// Drops the handlers that have ended. Must be called on the loop's thread.
    #[cold]
    #[inline(never)]
    pub(super) fn drop_ended(&self, loop_side: &H::LoopSide) {
        let ended = std::mem::take(&mut self.lock().ended);
        drop(release(ended, loop_side));
    }

    /// Closes the queue: ends its connections.
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
            // No run is under way, since the queue is being dropped, so every handler is `Here`.
            if let HandlerPlace::Here(handler) = mailbox.handler {
                handler.connection().disconnect();
                ended.push(handler);
            }
        }
        drop((release(ended, loop_side), inboxes, waker, wake));
    }
}

/// Turns handlers into values that can be dropped on this thread. The `Vec` drops all of them even
/// if one panics.
fn release<H: QueueFlavor>(
    ended: Vec<Box<dyn AnyHandler<H>>>,
    loop_side: &H::LoopSide,
) -> Vec<Box<dyn Any>> {
    ended.into_iter().map(|handler| handler.release(loop_side)).collect()
}
