//! An object that stores its own methods in its own list: with strong pointers, with weak pointers,
//! and in a signal.
//!
//! The program asserts what it prints, and fails if an object is not freed in time.

// The names are those of the original Python program.
#![allow(clippy::disallowed_names)]

use sigwire::{Signal, WeakMethod};
use std::sync::{Arc, Mutex};

/// Leaks: the closures in the list own the object, and the object owns the list.
struct LeakingFoo {
    functions: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
    _life: Life,
}

impl LeakingFoo {
    fn new(number: u32) -> Arc<Self> {
        let foo = Arc::new(LeakingFoo { functions: Mutex::default(), _life: Life::begin(number) });
        for _ in 0..3 {
            let me = Arc::clone(&foo);
            foo.functions.lock().unwrap().push(Box::new(move || me.test()));
        }
        foo
    }

    fn test(&self) {
        say("I'm a test");
    }
}

/// Does not leak: the methods in the list hold the object weakly.
struct Foo {
    functions: Vec<WeakMethod<()>>,
    _life: Life,
}

impl Foo {
    fn new(number: u32) -> Arc<Self> {
        Arc::new_cyclic(|me| Foo {
            functions: (0..3).map(|_| WeakMethod::new(me, Foo::test)).collect(),
            _life: Life::begin(number),
        })
    }

    fn test(&self, _: &()) {
        say("I'm a test");
    }
}

/// The same with a signal instead of the list.
struct SignalFoo {
    announced: Signal<()>,
    _life: Life,
}

impl SignalFoo {
    fn new(number: u32) -> Arc<Self> {
        let foo = Arc::new(SignalFoo { announced: Signal::new(), _life: Life::begin(number) });
        for _ in 0..3 {
            foo.announced.connect(&foo, SignalFoo::test);
        }
        foo
    }

    fn test(&self, _: &()) {
        say("I'm a test");
    }
}

fn main() {
    println!("1. The list holds strong methods: each has an Arc of the object in it.");
    let mut leaking = LeakingFoo::new(1);
    (leaking.functions.lock().unwrap()[0])();
    leaking = LeakingFoo::new(2);
    say("(reassigned)");
    drop(leaking);
    say("(dropped)");
    check(
        "Foo 1 and Foo 2 are never deleted: each is kept by its own list, which only it can reach",
        "CREATE Foo 1, I'm a test, CREATE Foo 2, (reassigned), (dropped)",
    );

    println!("2. The list holds weak methods.");
    let mut foo = Foo::new(3);
    for function in &foo.functions {
        println!("   {function:?}");
    }
    foo.functions[0].upgrade().expect("Foo 3 is in use").call(&());
    let of_foo_3 = foo.functions[0].clone();
    foo = Foo::new(4);
    say("(reassigned)");
    if of_foo_3.upgrade().is_some() {
        fail("the method of Foo 3 must be gone with Foo 3, but it can still be upgraded");
    }
    drop(foo);
    say("(dropped)");
    check(
        "Foo 3 is deleted at once when its variable is reassigned, and Foo 4 when it is dropped",
        "CREATE Foo 3, I'm a test, CREATE Foo 4, DELETE Foo 3, (reassigned), DELETE Foo 4, (dropped)",
    );

    println!("3. The object has a signal, and has connected itself to it three times.");
    let mut foo = SignalFoo::new(5);
    println!("   {:?}", foo.announced);
    if foo.announced.emit(&()) != 3 {
        fail("the signal of Foo 5 must call three slots");
    }
    foo = SignalFoo::new(6);
    say("(reassigned)");
    drop(foo);
    say("(dropped)");
    check(
        "a signal holds its subscribers weakly: Foo 5 and Foo 6 are deleted at once, too",
        "CREATE Foo 5, I'm a test, I'm a test, I'm a test, CREATE Foo 6, DELETE Foo 5, \
         (reassigned), DELETE Foo 6, (dropped)",
    );
}

/// Prints when the object that contains it is created and freed.
struct Life {
    number: u32,
}

impl Life {
    fn begin(number: u32) -> Self {
        say(&format!("CREATE Foo {number}"));
        Life { number }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        say(&format!("DELETE Foo {}", self.number));
    }
}

/// The lines printed since the last check. Their order proves when objects were freed.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn say(line: &str) {
    println!("   {line}");
    SAID.lock().unwrap().push(line.to_owned());
}

fn check(fact: &str, expected: &str) {
    let said = std::mem::take(&mut *SAID.lock().unwrap()).join(", ");
    if said != expected {
        fail(&format!("{fact}\n  expected: {expected}\n  but said: {said}"));
    }
    println!("=> {fact}.\n");
}

fn fail(why: &str) -> ! {
    eprintln!("FAILED: {why}");
    std::process::exit(1);
}
