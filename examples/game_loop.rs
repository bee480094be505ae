//! A game loop on one thread, with thousands of objects, events in every frame, and objects that
//! die and are born.
//!
//! The world owns the monsters. Signals hold them weakly, so a monster that leaves the world is
//! freed.

use sigwire::local::Signal;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const FRAMES: u32 = 160;
const FIRST_MONSTERS: usize = 3_000;
const BLASTS_PER_FRAME: usize = 5;
const NESTS: usize = 4;
const BORN_PER_NEST: usize = 10;

struct Blast {
    at: i32,
    damage: i32,
}

struct Monster {
    at: i32,
    speed: i32,
    health: i32,
    born: u32,
    steps: u32,
    in_memory: Rc<Cell<usize>>,
}

impl Monster {
    fn walk(&mut self, _frame: &u32) {
        self.at = (self.at + self.speed).rem_euclid(1_000);
        self.steps += 1;
    }

    fn feel(&mut self, blast: &Blast) {
        if (self.at - blast.at).abs() <= 50 {
            self.health -= blast.damage;
        }
    }
}

impl Drop for Monster {
    fn drop(&mut self) {
        self.in_memory.set(self.in_memory.get() - 1);
    }
}

struct World {
    ticked: Signal<u32>,
    blasted: Signal<Blast>,
    died: Signal<Monster>,
    monsters: RefCell<Vec<Rc<RefCell<Monster>>>>,
    frame: Cell<u32>,
    spawned: Cell<usize>,
    in_memory: Rc<Cell<usize>>,
    dice: Cell<u32>,
}

impl World {
    fn new() -> Rc<Self> {
        Rc::new(World {
            ticked: Signal::new(),
            blasted: Signal::new(),
            died: Signal::new(),
            monsters: RefCell::default(),
            frame: Cell::new(0),
            spawned: Cell::new(0),
            in_memory: Rc::default(),
            dice: Cell::new(1),
        })
    }

    /// Rolls the same numbers in every run, so that the program can check its results.
    fn throw(&self, below: u32) -> i32 {
        let next = self.dice.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.dice.set(next);
        ((next >> 16) % below) as i32
    }

    fn spawn(&self) {
        let monster = Rc::new(RefCell::new(Monster {
            at: self.throw(1_000),
            speed: self.throw(21) - 10,
            health: 60 + self.throw(80),
            born: self.frame.get(),
            steps: 0,
            in_memory: self.in_memory.clone(),
        }));
        self.ticked.connect_mut(&monster, Monster::walk);
        self.blasted.connect_mut(&monster, Monster::feel);
        self.monsters.borrow_mut().push(monster);
        self.spawned.set(self.spawned.get() + 1);
        self.in_memory.set(self.in_memory.get() + 1);
    }

    /// Runs before all other slots, so that they see the new time.
    fn set_clock(&self, frame: &u32) {
        self.frame.set(*frame);
    }

    /// Returns how many slots the tick called.
    fn run_frame(&self, frame: u32) -> usize {
        let called = self.ticked.emit(&frame);
        for _ in 0..BLASTS_PER_FRAME {
            let (at, damage) = (self.throw(1_000), 2 + self.throw(5));
            self.blasted.emit(&Blast { at, damage });
        }
        self.bury();
        called
    }

    /// Removing a monster from the list frees it: no slot keeps it alive, and none must be
    /// disconnected.
    fn bury(&self) {
        let all = self.monsters.take();
        let (living, dead): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|monster| monster.borrow().health > 0);
        self.monsters.replace(living);
        for monster in dead {
            self.died.emit(&monster.borrow());
        }
    }

    fn living(&self) -> usize {
        self.monsters.borrow().len()
    }
}

/// Creates monsters during the tick.
struct Nest {
    world: Rc<World>,
}

impl Nest {
    fn hatch(&self, _frame: &u32) {
        for _ in 0..BORN_PER_NEST {
            self.world.spawn();
        }
    }
}

#[derive(Default)]
struct Score {
    kills: usize,
    oldest: u32,
    first_kill: Option<u32>,
}

impl Score {
    fn count(&mut self, dead: &Monster) {
        self.kills += 1;
        self.oldest = self.oldest.max(dead.steps);
    }

    fn note_first(&mut self, dead: &Monster) {
        self.first_kill = Some(dead.born + dead.steps);
    }
}

struct Camera {
    world: Rc<World>,
    drawn: usize,
}

impl Camera {
    fn draw(&mut self, frame: &u32) {
        for monster in self.world.monsters.borrow().iter() {
            let monster = monster.borrow();
            assert_eq!(monster.born + monster.steps, *frame, "drawn before it walked");
            self.drawn += 1;
        }
    }
}

fn main() {
    let world = World::new();
    let camera = Rc::new(RefCell::new(Camera { world: world.clone(), drawn: 0 }));
    // Priorities set who is called first and last, regardless of when each was connected.
    world.ticked.slot().priority(-10).connect_mut(&camera, Camera::draw);
    for _ in 0..FIRST_MONSTERS {
        world.spawn();
    }
    let nests = [(); NESTS].map(|()| Rc::new(Nest { world: world.clone() }));
    for nest in &nests {
        world.ticked.connect(nest, Nest::hatch);
    }
    world.ticked.slot().priority(10).connect(&world, World::set_clock);
    let systems = world.ticked.slot_count() - FIRST_MONSTERS;
    assert_eq!(systems, NESTS + 2);

    let score = Rc::new(RefCell::new(Score::default()));
    world.died.connect_mut(&score, Score::count);
    world.died.slot().once().connect_mut(&score, Score::note_first);

    println!("frame  slots called  living  dead so far");
    for frame in 1..=FRAMES {
        let living = world.living();
        let called = world.run_frame(frame);
        assert_eq!(
            called,
            living + systems,
            "what is born in a tick is called from the next one on"
        );
        assert_eq!(
            world.in_memory.get(),
            world.living(),
            "the dead are freed in the frame they die in"
        );
        assert_eq!(world.ticked.slot_count(), world.living() + systems);
        assert_eq!(world.blasted.slot_count(), world.living());
        if frame % 20 == 0 {
            println!("{frame:5}  {called:12}  {:6}  {:11}", world.living(), score.borrow().kills);
        }
    }

    let Score { kills, oldest, first_kill } = *score.borrow();
    assert_eq!(world.spawned.get(), FIRST_MONSTERS + NESTS * BORN_PER_NEST * FRAMES as usize);
    assert_eq!(world.spawned.get() - kills, world.living());
    println!("{} monsters were born, {kills} have died.", world.spawned.get());
    println!(
        "The first fell in frame {}; the oldest of the fallen saw {oldest} frames.",
        first_kill.unwrap()
    );
    println!("The camera has drawn {} monsters, each after it walked.", camera.borrow().drawn);
    println!(
        "Memory holds the {} that live, the signal their slots and {systems} more.",
        world.in_memory.get()
    );

    let in_memory = world.in_memory.clone();
    let last = Rc::downgrade(&world);
    drop((nests, camera));
    assert_eq!(world.ticked.slot_count(), world.living() + 1);
    drop(world);
    assert!(
        last.upgrade().is_none(),
        "a world that connects to its own signal is freed like any other"
    );
    assert_eq!(in_memory.get(), 0);
    println!("With the world, all are gone: {} left.", in_memory.get());
}
