//! Channels and wakers. They call no method, so each subscriber has to check by itself whether
//! there is an event for it. Here it checks at once, in turn, with no task and no runtime in
//! between, which costs less than real use.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use event_listener::{EventListener, Listener};
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::contender::{Contender, Native};
use crate::sink::{Event, Sink};

pub type Receivers = Polled<Sender<Event>>;
pub type EventListeners = Polled<event_listener::Event>;

pub trait Channel {
    const NAME: &'static str;
    type Subscription;

    fn new() -> Self;
    fn subscribe(&self) -> Self::Subscription;
    fn send(&self, event: &Event);

    /// Receives the next event, if one was sent. `event` is for contenders that pass no event on.
    fn receive(&self, subscription: &mut Self::Subscription, event: &Event) -> Option<Event>;
}

pub struct Polled<C: Channel> {
    channel: C,
    subscribers: RefCell<Vec<Subscriber<C>>>,
}

struct Subscriber<C: Channel> {
    subscription: C::Subscription,
    owner: Arc<Sink>,
}

impl Channel for Sender<Event> {
    const NAME: &'static str = "tokio broadcast, polled";
    type Subscription = Receiver<Event>;

    fn new() -> Self {
        // Room for the one event that is being sent.
        broadcast::channel(1).0
    }

    fn subscribe(&self) -> Self::Subscription {
        Sender::subscribe(self)
    }

    fn send(&self, event: &Event) {
        // It fails if there is no subscriber.
        _ = Sender::send(self, *event);
    }

    fn receive(&self, subscription: &mut Self::Subscription, _: &Event) -> Option<Event> {
        subscription.try_recv().ok()
    }
}

impl Channel for event_listener::Event {
    const NAME: &'static str = "event-listener, polled";
    type Subscription = EventListener;

    fn new() -> Self {
        Self::new()
    }

    fn subscribe(&self) -> Self::Subscription {
        self.listen()
    }

    fn send(&self, _: &Event) {
        self.notify(usize::MAX);
    }

    /// A listener is notified once.
    fn receive(&self, subscription: &mut Self::Subscription, event: &Event) -> Option<Event> {
        mem::replace(subscription, self.listen()).discard().then_some(*event)
    }
}

impl<C: Channel> Contender for Polled<C> {
    const NAME: &'static str = C::NAME;
    const THREAD_SAFE: bool = true;
    /// A subscription ends when its subscriber drops it: the owner would have it as a field.
    const TRACKS_OWNERS: bool = false;
    type Owner = Arc<Sink>;

    fn new() -> Self {
        Polled { channel: C::new(), subscribers: RefCell::default() }
    }

    fn owner(&mut self) -> Self::Owner {
        Default::default()
    }

    fn total(&self, owner: &Self::Owner) -> u64 {
        owner.total()
    }
}

impl<C: Channel> Native for Polled<C> {
    /// The newest subscriber is dropped.
    type Connection = ();

    fn connect(&mut self, owner: &Self::Owner) {
        let subscription = self.channel.subscribe();
        let subscriber = Subscriber { subscription, owner: owner.clone() };
        self.subscribers.get_mut().push(subscriber);
    }

    fn disconnect(&mut self, (): ()) {
        self.subscribers.get_mut().pop();
    }

    fn emit(&self, event: &Event) {
        self.channel.send(event);
        for Subscriber { subscription, owner } in &mut *self.subscribers.borrow_mut() {
            if let Some(event) = self.channel.receive(subscription, event) {
                owner.on_event(&event);
            }
        }
    }
}
