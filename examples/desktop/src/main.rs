//! A desktop window whose panels are weak subscribers.
//!
//! A worker emits progress on a thread of its own. The panels live in `Rc<RefCell<..>>` on the
//! window's thread. A `LocalQueue` brings the events to that thread, and requests a repaint when
//! there are any. No code disconnects: closing the details window drops its panels at once, as the
//! live count in the main window shows. Their slots end when their next event has its turn, because
//! the worker's thread must not look at an `Rc`.
//!
//! `desktop --report` prints a line for each thing that happens, for the test that drives it: see
//! `drive`.

mod panels;
mod worker;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use eframe::egui;
use sigwire::LocalQueue;

use panels::{Alive, Bar, Chart, Log};
use worker::Worker;

struct App {
    worker: Arc<Worker>,
    queue: LocalQueue,
    alive: Alive,
    bar: Rc<RefCell<Bar>>,
    details: Option<Details>,
    reports: bool,
}

/// The panels of the details window. Closing that window drops this, and nothing else has to be
/// done.
struct Details {
    chart: Rc<RefCell<Chart>>,
    log: Rc<RefCell<Log>>,
}

impl App {
    fn new(creation: &eframe::CreationContext<'_>, reports: bool) -> Self {
        let context = creation.egui_ctx.clone();
        let queue = LocalQueue::new(move || context.request_repaint());
        let (worker, alive) = (Worker::start(), Alive::default());
        let bar = Rc::new(RefCell::new(Bar::new(&alive)));
        // Only the newest progress matters, but every line of the log does.
        worker.progress.slot().on(&queue).latest().connect_mut(&bar, Bar::show);
        let mut app = App { worker, queue, alive, bar, details: None, reports };
        app.open_details();
        app
    }

    fn open_details(&mut self) {
        let chart = Rc::new(RefCell::new(Chart::new(&self.alive)));
        let log = Rc::new(RefCell::new(Log::new(&self.alive)));
        self.worker.progress.slot().on(&self.queue).connect_mut(&chart, Chart::add);
        self.worker.finished.slot().on(&self.queue).connect_mut(&log, |log, line| log.add(line));
        self.details = Some(Details { chart, log });
    }

    fn report(&self, what: std::fmt::Arguments<'_>) {
        if self.reports {
            println!("{what} panels={} slots={}", self.alive.count(), self.worker.slots());
        }
    }

    fn show_details(&mut self, context: &egui::Context) {
        let Some(details) = &self.details else { return };
        let mut open = true;
        let shown = egui::Window::new("Details")
            .fixed_pos([330.0, 20.0])
            .fixed_size([280.0, 320.0])
            .collapsible(false)
            .open(&mut open)
            .show(context, |ui| {
                details.chart.borrow().ui(ui);
                ui.separator();
                details.log.borrow().ui(ui);
            });
        if let Some(window) = shown {
            // The position of its close button.
            let corner = window.response.rect.right_top();
            let close = corner + egui::vec2(-16.0, 16.0);
            self.report(format_args!("details close={}", place(close)));
        }
        if !open {
            self.details = None; // its panels end here
            self.report(format_args!("closed"));
        }
    }
}

impl eframe::App for App {
    fn update(&mut self, context: &egui::Context, _: &mut eframe::Frame) {
        self.queue.run();
        egui::CentralPanel::default().show(context, |ui| {
            ui.heading("sigwire");
            ui.label(format!("panels alive: {}", self.alive.count()));
            ui.label(format!("slots connected: {}", self.worker.slots()));
            ui.add_space(12.0);
            self.bar.borrow().ui(ui);
            ui.add_space(12.0);
            if self.details.is_none() && ui.button("Open details").clicked() {
                self.open_details();
                self.report(format_args!("opened"));
            }
            let quit = ui.button("Quit");
            if quit.clicked() {
                context.send_viewport_cmd(egui::ViewportCommand::Close);
            }
            self.report(format_args!("frame quit={}", place(quit.rect.center())));
        });
        self.show_details(context);
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        let (shown, emitted) = (self.bar.borrow().shown, self.worker.stop());
        self.report(format_args!("exit shown={shown} emitted={emitted}"));
    }
}

/// For who clicks there.
fn place(point: egui::Pos2) -> String {
    format!("{:.0},{:.0}", point.x, point.y)
}

fn main() -> eframe::Result {
    let reports = std::env::args().any(|argument| argument == "--report");
    let viewport = egui::ViewportBuilder::default()
        .with_inner_size([640.0, 400.0])
        .with_position([0.0, 0.0])
        .with_decorations(!reports);
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    eframe::run_native(
        "sigwire",
        options,
        Box::new(move |creation| Ok(Box::new(App::new(creation, reports)))),
    )
}
