//! What needs the names of a flavor.

use super::*;

both_flavors! {
    /// Emits; gives how many handlers were called.
    pub async fn run(way: Way, signal: &AsyncSignal<u32>, n: &u32) -> usize {
        match way {
            Emit => signal.emit(n).await,
            Call => signal.call(n).count().await,
            Try => signal.try_emit(n).await.unwrap(),
            Concurrently => signal.emit_concurrent(n).await,
            CallConcurrently => signal.call_concurrent(n).count().await,
        }
    }

    /// The same, which can also be polled again after a panic.
    pub fn emission<'a>(
        way: Way,
        signal: &'a AsyncSignal<u32>,
        n: &'a u32,
    ) -> Pin<Box<dyn Future<Output = usize> + 'a>> {
        match way {
            Emit => Box::pin(signal.emit(n)),
            Call => Box::pin(signal.call(n).count()),
            Try => Box::pin(signal.try_emit(n).map(|called| called.unwrap())),
            Concurrently => Box::pin(signal.emit_concurrent(n)),
            CallConcurrently => Box::pin(signal.call_concurrent(n).count()),
        }
    }

    /// A noter whose handlers wait at a door.
    pub struct Worker {
        pub noter: Noter,
        pub door: Arc<Door>,
    }

    impl Worker {
        pub fn new(log: &Log, name: &'static str) -> Strong<Self> {
            Strong::new(Worker { noter: Noter::new(log, name), door: Arc::default() })
        }
        pub async fn wait(&self, n: &u32) {
            self.noter.log.add(format!("{} starts {n}", self.noter.name));
            self.door.pass().await;
            self.noter.log.add(format!("{} ends {n}", self.noter.name));
        }
        pub async fn note(&self, n: &u32) {
            self.noter.on(n);
        }
        pub async fn also(&self, n: &u32) {
            self.noter.also(n);
        }
        pub fn at_once(&self, n: &u32) {
            self.noter.on(n);
        }
    }

    /// A handler that waits, and `b` and `c` behind it, which note.
    pub struct Behind {
        pub log: Log,
        pub signal: Strong<AsyncSignal<u32>>,
        pub a: Strong<Worker>,
        pub b: Strong<Worker>,
        pub c: Strong<Worker>,
        pub connections: [Connection; 3],
    }

    impl Behind {
        pub fn new() -> Self {
            let log = Log::default();
            let signal = Strong::new(AsyncSignal::new());
            let [a, b, c] = ["a", "b", "c"].map(|name| Worker::new(&log, name));
            let connections = [
                signal.connect(&a, Worker::wait),
                signal.connect(&b, Worker::note),
                signal.connect(&c, Worker::note),
            ];
            Behind { log, signal, a, b, c, connections }
        }

        /// What is called when `act` is run while `a` waits.
        pub async fn called_after(
            self,
            way: Way,
            act: impl FnOnce(&mut Option<Self>),
        ) -> Vec<String> {
            let (log, door) = (self.log.clone(), self.a.door.clone());
            let signal = self.signal.clone();
            let mut emission = Box::pin(run(way, &signal, &1));
            assert!(poll!(&mut emission).is_pending());
            let mut this = Some(self);
            act(&mut this);
            door.open();
            emission.await;
            log.take()
        }
    }

    /// Handlers with a door each.
    pub struct Strictly {
        pub signal: AsyncSignal<u32>,
        pub doors: Vec<Arc<Door>>,
        pub polls: Vec<Arc<AtomicUsize>>,
        pub owner: Strong<Noter>,
    }

    impl Strictly {
        pub fn new(handlers: usize) -> Self {
            let (signal, owner) =
                (AsyncSignal::new(), Strong::new(Noter::new(&Log::default(), "")));
            let doors: Vec<_> = (0..handlers).map(|_| Arc::new(Door::default())).collect();
            let polls: Vec<Arc<AtomicUsize>> = doors.iter().map(|_| Arc::default()).collect();
            for (door, polls) in std::iter::zip(&doors, &polls) {
                let (door, polls) = (door.clone(), Arc::clone(polls));
                signal.connect(&owner, move |_: &Noter, _: &u32| Strict {
                    door: door.clone(),
                    polls: polls.clone(),
                    is_over: false,
                    panics: false,
                });
            }
            Strictly { signal, doors, polls, owner }
        }
    }

    /// Emits the same event again, and expects that to fail in its own way.
    pub async fn again_and_again(way: Way, signal: &AsyncSignal<u32>, n: &u32) -> usize {
        if way == Try {
            match signal.try_emit(n).await {
                Ok(called) => called,
                Err(error) => {
                    let Failure::Panicked(message) = error.failures()[0].failure().clone() else {
                        panic!("it panicked")
                    };
                    std::panic::panic_any(message)
                }
            }
        } else {
            run(way, signal, n).await
        }
    }
}
