"""The programs whose building is measured: many methods of many types, connected to a few signals.

Each kind of connect has two: one with sigwire, and one that does the same by hand, mostly with boxed
closures that capture a `Weak`. Both are generated from one shape, so they differ in what a user would
write differently and in nothing else.
"""

METHODS_OF_A_TYPE = 5


class Kind:
    """How methods are connected. A `{}` is the number of an event; `on` is the name of a method."""

    # Of the program whose building is timed.
    connects, events = 1_000, 20
    # Of the two that tell what one more adds. Both have methods for all of their events, so what is
    # compiled once for an event is no part of the difference.
    few, many, their_events = 10, 60, 5
    feature = None
    uses = "use std::sync::{Arc, Mutex};"
    method = "pub fn {on}(&self, event: &Event{event})"
    owner = "Arc<Type>"
    new_owner = "Arc::new(Type::default())"
    total = "owner.total()"
    # Of both programs; and of each of them.
    helpers = ""
    ours_helpers = hand_helpers = ""
    ours_fields = hand_fields = ""
    ours_turn = hand_turn = ""

    ours_field = "pub e{}: sigwire::Signal<Event{}>,"
    ours_connect = "signals.e{event}.connect(owner, Type::{on});"
    ours_emit = "signals.e{}.emit(&event);"

    hand_field = "pub e{}: Vec<Box<dyn Fn(&Event{}) + Send + Sync>>,"
    hand_connect = """let weak = Arc::downgrade(owner);
        signals.e{event}.push(Box::new(move |event| {{
            if let Some(owner) = weak.upgrade() {{
                owner.{on}(event);
            }}
        }}));"""
    hand_emit = "signals.e{}.iter().for_each(|slot| slot(&event));"


class Connect(Kind):
    name = "connect"


class ConnectMut(Kind):
    name = "connect_mut"
    method = "pub fn {on}(&mut self, event: &Event{event})"
    owner = "Arc<Mutex<Type>>"
    new_owner = "Arc::new(Mutex::new(Type::default()))"
    total = "owner.lock().unwrap().total()"
    ours_connect = "signals.e{event}.connect_mut(owner, Type::{on});"
    hand_connect = Kind.hand_connect.replace("owner.{on}", "owner.lock().unwrap().{on}")


class Local(Kind):
    name = "local connect"
    uses = "use std::rc::Rc;"
    owner = "Rc<Type>"
    new_owner = "Rc::new(Type::default())"
    ours_field = "pub e{}: sigwire::local::Signal<Event{}>,"
    hand_field = "pub e{}: Vec<Box<dyn Fn(&Event{})>>,"
    hand_connect = Kind.hand_connect.replace("Arc", "Rc")


class Queued(Kind):
    name = "queued connect"
    ours_fields = "pub queue: sigwire::Queue,"
    ours_connect = "signals.e{event}.slot().on(&signals.queue).connect(owner, Type::{on});"
    ours_turn = "signals.queue.run();"
    hand_helpers = """
        pub type Job = Box<dyn FnOnce() + Send>;

        pub struct Jobs(std::sync::mpsc::Sender<Job>, std::sync::mpsc::Receiver<Job>);

        impl Default for Jobs {
            fn default() -> Self {
                let (sender, jobs) = std::sync::mpsc::channel();
                Jobs(sender, jobs)
            }
        }"""
    hand_fields = "pub jobs: Jobs,"
    hand_connect = """let (weak, jobs) = (Arc::downgrade(owner), signals.jobs.0.clone());
        signals.e{event}.push(Box::new(move |event| {{
            let (weak, event) = (weak.clone(), event.clone());
            let job = move || {{
                if let Some(owner) = weak.upgrade() {{
                    owner.{on}(&event);
                }}
            }};
            _ = jobs.send(Box::new(job));
        }}));"""
    hand_turn = "signals.jobs.1.try_iter().for_each(|job| job());"


WAIT = """
        pub fn wait<F: Future>(future: F) -> F::Output {
            let mut future = std::pin::pin!(future);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            loop {
                if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            }
        }"""


class Async(Kind):
    name = "asynchronous connect"
    feature = "async"
    method = "pub async fn {on}(&self, event: &Event{event})"
    helpers = WAIT
    ours_field = "pub e{}: sigwire::AsyncSignal<Event{}>,"
    ours_emit = "wait(signals.e{}.emit(&event));"
    hand_helpers = """
        type Boxed<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;"""
    hand_field = "pub e{}: Vec<Box<dyn for<'a> Fn(&'a Event{}) -> Boxed<'a> + Send + Sync>>,"
    hand_connect = """let weak = Arc::downgrade(owner);
        signals.e{event}.push(Box::new(move |event| {{
            let weak = weak.clone();
            Box::pin(async move {{
                if let Some(owner) = weak.upgrade() {{
                    owner.{on}(event).await;
                }}
            }})
        }}));"""
    hand_emit = "signals.e{}.iter().for_each(|slot| wait(slot(&event)));"


class Stream(Kind):
    """Of events that have streams already. What a stream is made of depends on its event alone."""

    name = "stream connect"
    feature = "async"
    helpers = WAIT
    ours_field = """pub e{}: sigwire::Signal<Event{}>,
        pub streams{}: Vec<(Arc<Type>, sigwire::EventStream<Event{}>)>,"""
    ours_connect = """let stream = signals.e{event}.stream(4, sigwire::Overflow::DropOldest);
        signals.streams{event}.push((owner.clone(), stream));"""
    ours_emit = """signals.e{}.emit(&event);
        for (owner, stream) in &mut signals.streams{} {
            if let Some(Ok(event)) = wait(stream.next()) {
                owner.add(event.value);
            }
        }"""
    # A mailbox without a limit, whose owner is who reads it.
    hand_helpers = """
        pub struct Mailbox<E>(pub Mutex<(VecDeque<E>, Option<std::task::Waker>)>);

        impl<E> Mailbox<E> {
            pub fn put(&self, event: E) {
                let mut inside = self.0.lock().unwrap();
                inside.0.push_back(event);
                if let Some(waker) = inside.1.take() {
                    waker.wake();
                }
            }

            pub fn next(&self) -> impl Future<Output = E> + '_ {
                std::future::poll_fn(|context| {
                    let mut inside = self.0.lock().unwrap();
                    match inside.0.pop_front() {
                        Some(event) => std::task::Poll::Ready(event),
                        None => {
                            inside.1 = Some(context.waker().clone());
                            std::task::Poll::Pending
                        }
                    }
                })
            }
        }"""
    uses = "use std::collections::VecDeque;\nuse std::sync::{Arc, Mutex};"
    hand_field = """pub e{}: Vec<Box<dyn Fn(&Event{}) + Send + Sync>>,
        pub streams{}: Vec<(Arc<Type>, Arc<Mailbox<Event{}>>)>,"""
    hand_connect = """let mailbox = Arc::new(Mailbox(Mutex::default()));
        let weak = Arc::downgrade(&mailbox);
        signals.streams{event}.push((owner.clone(), mailbox));
        signals.e{event}.push(Box::new(move |event| {{
            if let Some(mailbox) = weak.upgrade() {{
                mailbox.put(event.clone());
            }}
        }}));"""
    hand_emit = """signals.e{}.iter().for_each(|slot| slot(&event));
        for (owner, mailbox) in &signals.streams{} {
            owner.add(wait(mailbox.next()).value);
        }"""


class FirstStream(Stream):
    """The first of its event, whose signal is there and emits in any case."""

    name = "stream connect of a new event"
    connects, events = 60, 60
    few, many, their_events = 5, 15, 15


KINDS = [Connect(), ConnectMut(), Local(), Queued(), Async(), Stream(), FirstStream()]


def program(kind, by, connects, events):
    """The source of a program. `by` is `"ours"` or `"hand"`. It prints a sum over all that was called."""
    part = lambda name: getattr(kind, f"{by}_{name}", "") or ""
    numbered = lambda text, number: text.replace("{}", str(number))
    takes_types = isinstance(kind, Stream)
    types = range(-(-connects // METHODS_OF_A_TYPE))
    lines = ["#![allow(dead_code, unused_imports)]", kind.uses, kind.helpers, part("helpers")]
    # The receivers of events are of one type where that makes no difference to what is compiled.
    if takes_types:
        lines.append(type_of_receiver("", []))
    for event in range(events):
        lines.append(f"#[derive(Clone)]\npub struct Event{event} {{ pub value: u64 }}")
    lines.append("#[derive(Default)]\npub struct Signals {")
    lines.append(part("fields"))
    lines += [numbered(part("field"), event) for event in range(events)]
    lines.append("}")

    for number in types:
        first = number * METHODS_OF_A_TYPE
        methods = range(first, min(first + METHODS_OF_A_TYPE, connects))
        lines.append(f"pub mod type{number} {{\nuse super::*;")
        if not takes_types:
            lines.append(type_of_receiver(kind.method, [(it, it % events) for it in methods]))
        lines.append(f"pub fn connect(signals: &mut Signals, owner: &{kind.owner}) {{")
        lines += [part("connect").format(event=it % events, on=f"on{it}") for it in methods]
        lines.append("}\n}")

    lines.append("fn main() {\nlet mut signals = Signals::default();\nlet mut sum: u64 = 0;")
    for number in types:
        new = kind.new_owner if takes_types else kind.new_owner.replace("Type", f"type{number}::Type")
        lines.append(f"let owner{number} = {new};")
        lines.append(f"type{number}::connect(&mut signals, &owner{number});")
    # Nothing that was connected is known here, as in a program where that happens elsewhere.
    lines.append("let signals = std::hint::black_box(&mut signals);")
    for event in range(events):
        drains = not takes_types or event < connects
        emit = part("emit") if drains else part("emit").split("\n")[0]
        lines.append(f"let event = Event{event} {{ value: {event} }};\n{numbered(emit, event)}")
    lines.append(part("turn"))
    for number in types:
        lines.append(f"let owner = owner{number};\nsum = sum.wrapping_add({kind.total});")
    lines.append('println!("{sum}");\n}')
    return "\n".join(lines)


def type_of_receiver(method, methods):
    """No two bodies are alike, or the linker and the compiler would keep one of them."""
    lines = ["#[derive(Default)]\npub struct Type { total: std::sync::atomic::AtomicU64 }"]
    lines.append("""impl Type {
        pub fn add(&self, value: u64) {
            self.total.fetch_add(value, std::sync::atomic::Ordering::Relaxed);
        }
        pub fn total(&self) -> u64 {
            self.total.load(std::sync::atomic::Ordering::Relaxed)
        }""")
    for number, event in methods:
        head = method.format(on=f"on{number}", event=event)
        lines.append(f"{head} {{ self.add(event.value * 1000 + {number}); }}")
    lines.append("}")
    return "\n".join(lines)
